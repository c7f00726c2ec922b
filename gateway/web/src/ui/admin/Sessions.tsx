/** Who is logged in, and where. */
import { useCallback, useState } from "react";
import type { SessionLine } from "../../model";
import { EndSession } from "../account/EndSession";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Page, Section } from "../parts/Page";
import { ExactTime, RelativeTime } from "../parts/RelativeTime";
import { type Column, Table } from "../parts/Table";
import { type Parties, partiesOf } from "./parties";
import { Refresh } from "./Refresh";
import { Who } from "./Who";

export function Sessions() {
  const { admin } = useActions();
  const [ending, setEnding] = useState<{ session: SessionLine; of: string } | null>(null);
  const load = useLoad(
    useCallback(async () => {
      const [sessions, accounts] = await Promise.all([admin.sessions(), admin.accounts()]);
      return { sessions, parties: partiesOf(accounts, []) };
    }, [admin]),
  );
  return (
    <Page title="Sessions" intro="Each is a browser in which somebody logged in with a password.">
      <Section title="Logged in now" actions={<Refresh load={load} />}>
        <Loaded load={load} what="sessions">
          {({ sessions, parties }) => (
            <Table
              caption="Sessions"
              rows={sessions}
              keyOf={(session) => session.id}
              columns={columns(parties, (session) =>
                setEnding({ session, of: parties(session.account).title }),
              )}
              empty={<EmptyState icon="person" title="Nobody is logged in" />}
            />
          )}
        </Loaded>
      </Section>
      {ending && (
        <EndSession
          session={ending.session}
          of={ending.of}
          onEnd={async () => {
            await admin.endSession(ending.session.id);
            announce(`${ending.of} is logged out of ${ending.session.agent}`);
            // The dialog closes first: what it was opened with has the focus then, until its row goes.
            load.again();
          }}
          onClose={() => setEnding(null)}
        />
      )}
    </Page>
  );
}

function columns(parties: Parties, onEnd: (session: SessionLine) => void): readonly Column<SessionLine>[] {
  return [
    { name: "Who", head: true, cell: (session) => <Who party={parties(session.account)} /> },
    { name: "Browser", cell: (session) => session.agent },
    { name: "Used", cell: (session) => <RelativeTime at={session.used} ago /> },
    { name: "Since", cell: (session) => <ExactTime at={session.begun} /> },
    { name: "Ends", cell: (session) => <ExactTime at={session.expires} /> },
    {
      name: "Actions",
      buttons: true,
      cell: (session) =>
        session.current ? (
          <Badge tone="good">this browser</Badge>
        ) : (
          <Button
            label={`End ${parties(session.account).title}'s session on ${session.agent}`}
            onClick={() => onEnd(session)}
          >
            End
          </Button>
        ),
    },
  ];
}
