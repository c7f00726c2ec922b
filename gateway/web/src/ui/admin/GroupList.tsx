/** The groups: made, changed, ended; and who of them is on duty. */
import { lazy, Suspense, useState } from "react";
import type { GroupRow } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { EmptyState } from "../parts/EmptyState";
import { Section } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { GroupDialog } from "./GroupDialog";
import type { Contacts } from "./Groups";
import { liveParties, type Parties, partyOfGroup } from "./parties";
import { Who } from "./Who";

const PlanShifts = lazy(() => import("./PlanShifts"));

interface GroupListProps {
  contacts: Contacts;
  parties: Parties;
  onChanged(): Promise<void>;
}

type Asked = { what: "new" } | { what: "edit" | "end" | "shifts"; group: GroupRow };

export function GroupList({ contacts, parties, onChanged }: GroupListProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => setAsked(null);
  const anew = (
    <Button icon="plus" onClick={() => setAsked({ what: "new" })}>
      New group
    </Button>
  );
  return (
    <Section title="Groups" actions={contacts.groups.length > 0 && anew}>
      <Table
        caption="Groups"
        rows={contacts.groups}
        keyOf={(group) => group.id}
        columns={columns(parties, setAsked)}
        empty={
          <EmptyState icon="group" title="No groups yet" action={anew}>
            A group is who is to hear of something together, as in the nurses on call.
          </EmptyState>
        }
      />
      {(asked?.what === "new" || asked?.what === "edit") && (
        <GroupDialog
          group={asked.what === "edit" ? asked.group : null}
          everybody={liveParties(contacts.accounts)}
          onSaved={onChanged}
          onClose={close}
        />
      )}
      {asked?.what === "shifts" && (
        <Suspense>
          <PlanShifts group={asked.group} parties={parties} onClose={close} />
        </Suspense>
      )}
      {asked?.what === "end" && <EndGroup group={asked.group} onEnded={onChanged} onClose={close} />}
    </Section>
  );
}

function columns(parties: Parties, ask: (asked: Asked) => void): readonly Column<GroupRow>[] {
  return [
    { name: "Group", head: true, cell: (group) => <Who party={partyOfGroup(group)} /> },
    {
      name: "Members",
      cell: (group) =>
        group.members.length === 0 ? (
          <span className="soft">Nobody: all were revoked</span>
        ) : (
          namesOf(group, parties)
        ),
    },
    {
      name: "Actions",
      buttons: true,
      cell: (group) => (
        <>
          <Button
            label={`Shifts of ${partyOfGroup(group).title}`}
            onClick={() => ask({ what: "shifts", group })}
          >
            Shifts
          </Button>
          <Button label={`Edit ${partyOfGroup(group).title}`} onClick={() => ask({ what: "edit", group })}>
            Edit
          </Button>
          <Button label={`End ${partyOfGroup(group).title}`} onClick={() => ask({ what: "end", group })}>
            End
          </Button>
        </>
      ),
    },
  ];
}

function namesOf(group: GroupRow, parties: Parties): string {
  return group.members
    .map((member) => parties(member).title)
    .sort((a, b) => a.localeCompare(b))
    .join(", ");
}

interface EndGroupProps {
  group: GroupRow;
  onEnded(): Promise<void>;
  onClose(): void;
}

function EndGroup({ group, onEnded, onClose }: EndGroupProps) {
  const { admin } = useActions();
  const { title } = partyOfGroup(group);
  const end = async () => {
    await admin.group({ id: group.id, name: title, members: [] });
    announce(`${title} has ended`);
    onEnded();
  };
  return (
    <Confirm title={`End the group ${title}?`} action="End group" danger onConfirm={end} onClose={onClose}>
      <p>
        Nobody can write to it any more.{" "}
        <strong>Devices that are linked to it reach nobody through it</strong>: link them to another group
        first.
      </p>
      <p>What was said in it stays readable for those who received it.</p>
    </Confirm>
  );
}
