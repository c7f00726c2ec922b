/** Where this person is logged in, and how to end that from here. */
import "./sessions.css";
import { useCallback, useEffect, useState } from "react";
import type { SessionLine } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { Section } from "../parts/Page";
import { ExactTime, RelativeTime } from "../parts/RelativeTime";
import { Spinner } from "../parts/Spinner";
import { useTask } from "../parts/task";

export function Sessions() {
  const actions = useActions();
  const [lines, setLines] = useState<readonly SessionLine[] | null>(null);
  const [ending, setEnding] = useState<SessionLine | null>(null);
  const { run, error } = useTask();
  const load = useCallback(async () => setLines(await actions.sessions()), [actions]);
  useEffect(() => {
    run(load);
  }, [run, load]);

  return (
    <Section title="Where you are logged in">
      {error && (
        <Banner tone="danger" actions={<Button onClick={() => run(load)}>Try again</Button>}>
          {error}
        </Banner>
      )}
      {!lines && !error && <Spinner />}
      {lines && (
        <ul className="list">
          {lines.map((line) => (
            <Line key={line.id} line={line} onEnd={() => setEnding(line)} />
          ))}
        </ul>
      )}
      {ending && (
        <Confirm
          title={`End the session on ${ending.agent}?`}
          action="End session"
          danger
          onConfirm={async () => {
            await actions.endSession(ending.id);
            await load();
          }}
          onClose={() => setEnding(null)}
        >
          <p>Whoever uses that browser has to log in again. Alerts no longer sound there until then.</p>
        </Confirm>
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
