/** What links accounts to groups, and to each other. */
import { type ReactNode, useMemo, useState } from "react";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { EmptyState } from "../parts/EmptyState";
import { Field } from "../parts/Field";
import { Section } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import type { Contacts } from "./Groups";
import { LinkDialog } from "./LinkDialog";
import { chosenLinks, type Link, linkOf } from "./links";
import type { Parties } from "./parties";
import { Who } from "./Who";

interface LinkListProps {
  contacts: Contacts;
  parties: Parties;
  refresh: ReactNode;
  onChanged(): Promise<void>;
}

export function LinkList({ contacts, parties, refresh, onChanged }: LinkListProps) {
  const [linking, setLinking] = useState(false);
  const [ending, setEnding] = useState<Link | null>(null);
  const [text, setText] = useState("");
  const links = useMemo(() => contacts.links.map((row) => linkOf(row, parties)), [contacts.links, parties]);
  const chosen = useMemo(() => chosenLinks(links, text), [links, text]);
  const anew = (
    <Button look="primary" icon="plus" onClick={() => setLinking(true)}>
      New link
    </Button>
  );
  return (
    <Section
      title="Who may write to whom"
      actions={
        <>
          {refresh}
          {links.length > 0 && anew}
        </>
      }
    >
      {links.length > 0 && (
        <search className="filters">
          <Field
            label="Find by name or handle"
            type="search"
            autoComplete="off"
            value={text}
            onValue={setText}
          />
        </search>
      )}
      <Table
        caption="Links"
        rows={chosen}
        keyOf={(link) => link.key}
        columns={columns(setEnding)}
        empty={
          links.length === 0 ? (
            <EmptyState icon="chain" title="No links yet" action={anew}>
              Link a device to a group, so that its alerts reach somebody.
            </EmptyState>
          ) : (
            <EmptyState icon="search" title="No link is found" />
          )
        }
      />
      {linking && (
        <LinkDialog
          contacts={contacts}
          parties={parties}
          onLinked={onChanged}
          onClose={() => setLinking(false)}
        />
      )}
      {ending && <Unlink link={ending} onEnded={onChanged} onClose={() => setEnding(null)} />}
    </Section>
  );
}

function columns(onEnd: (link: Link) => void): readonly Column<Link>[] {
  return [
    { name: "Who", head: true, cell: (link) => <Who party={link.one} /> },
    { name: "Linked to", cell: (link) => <Who party={link.other} /> },
    { name: "State", cell: (link) => <State link={link} /> },
    {
      name: "Actions",
      buttons: true,
      cell: (link) => (
        <Button label={`Unlink ${link.one.title} from ${link.other.title}`} onClick={() => onEnd(link)}>
          Unlink
        </Button>
      ),
    },
  ];
}

function State({ link }: { link: Link }) {
  if (!link.one.live || !link.other.live) return <Badge>no effect</Badge>;
  return link.waitsFor === null ? "In force" : `Waits for ${link.waitsFor.title} to accept`;
}

interface UnlinkProps {
  link: Link;
  onEnded(): Promise<void>;
  onClose(): void;
}

function Unlink({ link: { one, other }, onEnded, onClose }: UnlinkProps) {
  const { admin } = useActions();
  const unlink = async () => {
    await admin.unlink(one.id, other.id);
    announce(`${one.title} is no longer linked to ${other.title}`);
    onEnded();
  };
  return (
    <Confirm
      title={`Unlink ${one.title} from ${other.title}?`}
      action="Unlink"
      danger
      onConfirm={unlink}
      onClose={onClose}
    >
      {other.kind === "group" ? (
        <p>
          What {one.title} sends no longer reaches the members of {other.title}
          {one.kind === "device" && (
            <>
              : <strong>its alerts do not sound there any more</strong>
            </>
          )}
          . They can no longer write to it either.
        </p>
      ) : (
        <p>They can no longer write to each other. What was said stays readable.</p>
      )}
    </Confirm>
  );
}
