/** How the chain is: its size, its newest checkpoint, whether all of it holds, and all of it to take away. */
import { useCallback, useEffect } from "react";
import type { ChainHealth, VerifyState } from "../../model";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button, LinkButton } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Loaded } from "../parts/Loaded";
import { type Load, useLoad } from "../parts/load";
import { Code, Facts, Page, Section } from "../parts/Page";
import { RelativeTime } from "../parts/RelativeTime";
import { Progress } from "../parts/Spinner";
import { useTask } from "../parts/task";
import { count, diskSize, verdict } from "./health";
import { Refresh } from "./Refresh";

/** Between two looks, while a check runs and otherwise. */
const RUNNING_MS = 1000;
const RESTING_MS = 15_000;

export function Chain() {
  const { admin } = useActions();
  const load = useLoad(useCallback(() => admin.health(), [admin]));
  useLooks(load);
  return (
    <Page title="The chain" intro="Everything that was done or said here is an entry in it, for good.">
      <Section title="State" actions={<Refresh load={load} />}>
        <Loaded load={load} what="the state of the chain">
          {(health) => <State health={health} />}
        </Loaded>
      </Section>
      {load.value && (
        <>
          <Section
            title="Newest checkpoint"
            actions={<CopyButton text={load.value.checkpoint} label="Copy the checkpoint" />}
          >
            <p className="soft">
              The gateway signed it when it cut the newest block,{" "}
              <RelativeTime at={load.value.timestamp} ago />. Who holds a copy can prove later that nothing
              before it was changed or taken away.
            </p>
            <Code>{load.value.checkpoint}</Code>
          </Section>
          <Verify state={load.value.verify} onBegun={load.again} />
          <Download />
        </>
      )}
    </Page>
  );
}

/** Looks again and again: often while a check runs. */
function useLooks({ value, ended, again }: Load<ChainHealth>): void {
  const running = value?.verify.state === "running";
  // biome-ignore lint/correctness/useExhaustiveDependencies: each end of a look, also a failed one, sets the next
  useEffect(() => {
    const timer = setTimeout(again, running ? RUNNING_MS : RESTING_MS);
    return () => clearTimeout(timer);
  }, [running, ended, again]);
}

function State({ health }: { health: ChainHealth }) {
  return (
    <Facts
      facts={[
        ["Entries", count(health.size, "entry", "entries")],
        [
          "Newest block",
          <>
            {health.height}, cut <RelativeTime at={health.timestamp} ago />
          </>,
        ],
        ["Takes up", diskSize(health.bytes)],
        ["Left on the disk", diskSize(health.free)],
      ]}
    />
  );
}

function Verify({ state, onBegun }: { state: VerifyState; onBegun(): Promise<void> }) {
  const { admin } = useActions();
  const task = useTask();
  const running = state.state === "running";
  const begin = () =>
    task.run(async () => {
      await admin.verifyNow();
      await onBegun();
    });
  return (
    <Section
      title="Check all of it"
      actions={
        <Button icon="shieldCheck" busy={task.busy || running} onClick={begin}>
          Check now
        </Button>
      }
    >
      <p className="soft">
        The gateway reads every block and checks every signature and hash. That takes a while on a long chain,
        and goes on if you leave this page.
      </p>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
      {state.state === "running" && (
        <div role="status">
          <Progress label="Checking every block" />
          <p className="soft">
            Since <RelativeTime at={state.since} />
          </p>
        </div>
      )}
      {state.state === "idle" && <p>Not checked since the gateway was started.</p>}
      {state.state === "done" && <Result done={state} />}
    </Section>
  );
}

function Result({ done }: { done: Extract<VerifyState, { state: "done" }> }) {
  const { good, title, text } = verdict(done);
  return (
    <Banner tone={good ? "good" : "danger"} title={title}>
      <p>{text}</p>
      <p className="soft">
        Checked <RelativeTime at={done.at} ago />
      </p>
    </Banner>
  );
}

function Download() {
  const { admin } = useActions();
  return (
    <Section
      title="Take it away"
      actions={
        <LinkButton href={admin.downloadUrl} download icon="download">
          Download the log
        </LinkButton>
      }
    >
      <p className="soft">
        A file with one JSON object a line, every block and every entry as it was signed but nobody's names or
        messages, by which an auditor can compute hashes, signatures and the checkpoint's root again;{" "}
        <code>blockpost chain verify</code> does that with the database on the gateway, <code>chain.db</code>.
      </p>
    </Section>
  );
}
