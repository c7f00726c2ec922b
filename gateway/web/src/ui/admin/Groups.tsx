/** Who may write to whom: groups with their members, and what links accounts to them and to each other. */
import { useCallback, useMemo } from "react";
import type { AccountRow, GroupRow, LinkRow } from "../../model";
import { useActions } from "../engine-context";
import { Loaded } from "../parts/Loaded";
import { type Load, useLoad } from "../parts/load";
import { Page } from "../parts/Page";
import { GroupList } from "./GroupList";
import { LinkList } from "./LinkList";
import { partiesOf } from "./parties";
import { Refresh } from "./Refresh";

export interface Contacts {
  accounts: readonly AccountRow[];
  groups: readonly GroupRow[];
  links: readonly LinkRow[];
}

export function Groups() {
  const { admin } = useActions();
  const load = useLoad(
    useCallback(async (): Promise<Contacts> => {
      const [accounts, groups, links] = await Promise.all([admin.accounts(), admin.groups(), admin.links()]);
      return { accounts, groups, links };
    }, [admin]),
  );
  return (
    <Page
      title="Contacts and groups"
      intro="A device that is linked to a group alerts all of its members: that is how somebody on call is reached."
    >
      <Loaded load={load} what="contacts and groups">
        {(contacts) => <Both contacts={contacts} load={load} />}
      </Loaded>
    </Page>
  );
}

function Both({ contacts, load }: { contacts: Contacts; load: Load<Contacts> }) {
  const { accounts, groups } = contacts;
  const parties = useMemo(() => partiesOf(accounts, groups), [accounts, groups]);
  return (
    <>
      <LinkList
        contacts={contacts}
        parties={parties}
        refresh={<Refresh load={load} />}
        onChanged={load.again}
      />
      <GroupList contacts={contacts} parties={parties} onChanged={load.again} />
    </>
  );
}
