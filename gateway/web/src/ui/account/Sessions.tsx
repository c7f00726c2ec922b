/** Where this person is logged in, and how to end that from here. */
import "./sessions.css";
import { useCallback, useState } from "react";
import type { SessionLine } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Section } from "../parts/Page";
import { ExactTime, RelativeTime } from "../parts/RelativeTime";
import { EndSession } from "./EndSession";

export function Sessions() {
  const actions = useActions();
  const [ending, setEnding] = useState<SessionLine | null>(null);
  const load = useLoad(useCallback(() => actions.sessions(), [actions]));
  return (
    <Section title="Where you are logged in">
      <Loaded load={load} what="sessions">
        {(lines) => (
          <ul className="list">
            {lines.map((line) => (
              <Line key={line.id} line={line} onEnd={() => setEnding(line)} />
            ))}
          </ul>
        )}
      </Loaded>
      {ending && (
        <EndSession
          session={ending}
          onEnd={async () => {
            await actions.endSession(ending.id);
            await load.again();
          }}
          onClose={() => setEnding(null)}
        />
      )}
    </Section>
  );
}

function Line({ line, onEnd }: { line: SessionLine; onEnd(): void }) {
  return (
    <li className="session">
      <div>
        <p className="session-agent">
          {line.agent} {line.current && <Badge tone="good">this browser</Badge>}
        </p>
        <p className="soft">
          Used <RelativeTime at={line.used} ago />, since <ExactTime at={line.begun} />, ends{" "}
          <ExactTime at={line.expires} />
        </p>
      </div>
      {!line.current && (
        <Button onClick={onEnd}>
          End<span className="visually-hidden"> the session on {line.agent}</span>
        </Button>
      )}
    </li>
  );
}
