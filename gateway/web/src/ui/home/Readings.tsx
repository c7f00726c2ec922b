/** The readings of a conversation, or of one alert, as plots; what they show is said in words as well. */
import "./readings.css";
import { lazy, Suspense, useEffect, useMemo, useReducer, useState } from "react";
import type { EntryId, PartyId } from "../../model";
import { useActions } from "../engine-context";
import { classes } from "../parts/classes";
import { ExactTime } from "../parts/RelativeTime";
import { Progress, Spinner } from "../parts/Spinner";
import { unitInWords } from "./amounts";
import { useConversation } from "./opened";
import { type Panel, panels, type Sample, summaryInWords } from "./series";

const Chart = lazy(() => import("./Chart"));

const HOUR = 3_600_000;
const RANGES = [
  { label: "Last hour", ms: HOUR },
  { label: "Last 24 hours", ms: 24 * HOUR },
  { label: "All", ms: null },
] as const;

interface ReadingsProps {
  party: PartyId;
  /** The messages of one alert; all of the conversation if null. */
  only: readonly EntryId[] | null;
}

export default function Readings({ party, only }: ReadingsProps) {
  const [range, setRange] = useState<number>(only ? 2 : 0);
  const [whole, setWhole] = useState(only === null);
  const minute = useMinute();
  const ms = RANGES[range]?.ms ?? null;
  const since = ms === null ? null : minute - ms;
  const wanted = useWanted(party, whole ? null : only, since);
  const { samples, waiting } = useSamples(wanted);
  const shown = useMemo(() => panels(samples), [samples]);
  // In seconds, as the plot has it: an empty hour is as wide as a full one.
  const span: readonly [number, number] | null = since === null ? null : [since / 1000, minute / 1000];

  return (
    <section className="readings" aria-label="Readings">
      <fieldset className="readings-ranges">
        <legend className="visually-hidden">Which readings</legend>
        {only && (
          <Choice name="whole" checked={!whole} onChoose={() => setWhole(false)}>
            This alert
          </Choice>
        )}
        {RANGES.map(({ label }, position) => (
          <Choice
            key={label}
            name="whole"
            checked={whole && range === position}
            onChoose={() => {
              setWhole(true);
              setRange(position);
            }}
          >
            {label}
          </Choice>
        ))}
      </fieldset>
      {waiting > 0 && (
        <Progress
          label={`Opening readings: ${wanted.length - waiting} of ${wanted.length}`}
          value={wanted.length - waiting}
          max={wanted.length}
        />
      )}
      {shown.map((panel) => (
        <PanelView key={panel.key} panel={panel} span={span} />
      ))}
      {shown.length === 0 && waiting === 0 && <p className="soft">There are no readings to show.</p>}
    </section>
  );
}

interface ChoiceProps {
  name: string;
  checked: boolean;
  onChoose(): void;
  children: string;
}

function Choice({ name, checked, onChoose, children }: ChoiceProps) {
  return (
    <label className={classes("range", checked && "range-on")}>
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      {children}
    </label>
  );
}

function PanelView({ panel, span }: { panel: Panel; span: readonly [number, number] | null }) {
  const unit = unitInWords(panel.unit);
  const words = summaryInWords(panel);
  return (
    <figure className="reading-panel">
      <figcaption>
        <strong>{panel.name}</strong> {unit && <span className="soft">in {unit}</span>}
        <p className="reading-summary">
          {words}, at <ExactTime at={panel.summary.lastAt} />
        </p>
      </figcaption>
      <Suspense fallback={<Spinner />}>
        <Chart panel={panel} span={span} label={`Plot of ${panel.name}: ${words}`} />
      </Suspense>
    </figure>
  );
}

/** Now, to the minute: the range moves on, and is not opened anew at each tick of a clock. */
function useMinute(): number {
  const [now, tick] = useReducer(
    () => Date.now(),
    0,
    () => Date.now(),
  );
  useEffect(() => {
    const timer = setInterval(tick, 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

interface Wanted {
  id: EntryId;
  at: number;
}

/** The messages to open: what they are is not known before. */
function useWanted(party: PartyId, only: readonly EntryId[] | null, since: number | null): readonly Wanted[] {
  const { conversation, version } = useConversation(party);
  const lines = useMemo(
    () => ({ version, at: (position: number) => conversation.line(position) }),
    [conversation, version],
  );
  return useMemo(() => {
    const chosen = only && new Set(only);
    const wanted: Wanted[] = [];
    for (let position = 0; position < conversation.length; position++) {
      const { id, at, state } = lines.at(position);
      if (state !== "committed" || (since !== null && at < since)) continue;
      if (chosen === null || chosen.has(id)) wanted.push({ id, at });
    }
    return wanted;
  }, [conversation, lines, only, since]);
}

/** So many are opened at a time, that the page stays quick. */
const AT_A_TIME = 16;

/** Opens all of them, the newest first; what does not open is no reading. */
function useSamples(wanted: readonly Wanted[]): { samples: readonly Sample[]; waiting: number } {
  const actions = useActions();
  const [round, next] = useReducer((count: number) => count + 1, 0);
  const [failed] = useState(() => new Set<EntryId>());

  const found = useMemo(() => {
    const samples: Sample[] = [];
    const missing: EntryId[] = [];
    for (const { id, at } of wanted) {
      const opened = actions.opened(id);
      if (opened) samples.push({ at, opened });
      else if (!failed.has(id)) missing.push(id);
    }
    return { samples, missing, round };
  }, [actions, wanted, failed, round]);

  useEffect(() => {
    const batch = found.missing.slice(-AT_A_TIME);
    if (batch.length === 0) return undefined;
    let going = true;
    const each = batch.map((id) => actions.open(id).catch(() => failed.add(id)));
    void Promise.all(each).then(() => going && next());
    return () => {
      going = false;
    };
  }, [actions, found, failed]);
  return { samples: found.samples, waiting: found.missing.length };
}
