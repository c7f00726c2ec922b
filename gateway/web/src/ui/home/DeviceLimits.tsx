/** What a device watches for: the limits of each of its sensors, who set them, and what became of the last change. */
import "./limits.css";
import { lazy, Suspense, useCallback, useState } from "react";
import type { AccountId, Actions, SensorLimits, View } from "../../model";
import { useActions, useView } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { PriorityMark } from "../parts/Priority";
import { ExactTime } from "../parts/RelativeTime";
import { unitInWords } from "./amounts";
import { changesInWords, limitsInWords } from "./limits";

const LimitsForm = lazy(() => import("./LimitsForm"));

export default function DeviceLimits({ device, title }: { device: AccountId; title: string }) {
  const actions = useActions();
  const version = useView((view) => versions(view, device, actions));
  const load = useLoad(
    useCallback(() => {
      // What the device says comes as messages, to us or to a group: they are read again when there are others.
      void version;
      return actions.limits(device);
    }, [actions, device, version]),
  );
  return (
    <section className="limits" aria-label="Limits">
      <Loaded load={load} what="limits">
        {(sensors) =>
          sensors.length === 0 ? (
            <p className="soft">{title} has not said yet what it watches for.</p>
          ) : (
            <ul className="limits-list" aria-label={`Limits of ${title}`}>
              {sensors.map((each) => (
                <li key={each.sensor}>
                  <Sensor device={device} title={title} sensor={each} onAsked={load.again} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}

/** Those of the conversations in which the device may say what it watches for. */
function versions(view: View, device: AccountId, actions: Actions): string {
  const told = view.friends.filter(({ id, kind }) => id === device || kind === "group");
  return told.map(({ id }) => actions.conversation(id).version).join(" ");
}

interface SensorProps {
  device: AccountId;
  title: string;
  sensor: SensorLimits;
  onAsked(): Promise<void>;
}

function Sensor({ device, title, sensor, onAsked }: SensorProps) {
  const [editing, setEditing] = useState(false);
  const { limits, unit, preset, changed } = sensor;
  return (
    <article className="limits-sensor" aria-label={`Sensor ${sensor.sensor}`}>
      <header className="limits-head">
        <h3>
          {sensor.sensor} {unit !== "" && <span className="soft">in {unitInWords(unit)}</span>}
        </h3>
        <PriorityMark priority={limits.priority} size={22} words />
      </header>
      <ul className="limits-words">
        {limitsInWords(limits, unit).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="limits-by">
        {changed ? (
          <>
            Set by {changed.title}, <ExactTime at={changed.at} />; confirmed by the device
          </>
        ) : (
          `As the device was set up${preset === null ? "" : ` (${preset})`}`
        )}
      </p>
      <Asked sensor={sensor} />
      <div>
        <Button
          className="small"
          icon="sliders"
          label={`Change limits of ${sensor.sensor}`}
          onClick={() => setEditing(true)}
        >
          Change limits
        </Button>
      </div>
      {editing && (
        <Suspense>
          <LimitsForm
            device={device}
            title={title}
            sensor={sensor}
            onAsked={onAsked}
            onClose={() => setEditing(false)}
          />
        </Suspense>
      )}
    </article>
  );
}

/** What was asked for and is not in force: not answered yet, or not taken over. */
function Asked({ sensor: { pending, refused, unit } }: { sensor: SensorLimits }) {
  if (pending) {
    return (
      <p className="limits-pending" role="status">
        <Icon name="clock" />
        <span>
          Asked by {pending.title}, <ExactTime at={pending.at} />: {changesInWords(pending.changes, unit)}.
          The device has not confirmed it yet
        </span>
      </p>
    );
  }
  if (refused) {
    return (
      <Banner tone="danger" title="The device did not take over the last change">
        {changesInWords(refused.changes, unit)}, asked by {refused.title}, <ExactTime at={refused.at} />. It
        says: {refused.words}
      </Banner>
    );
  }
  return null;
}
