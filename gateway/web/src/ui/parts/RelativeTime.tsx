/**
 * A time as people say it, which keeps up with the clock. One timer serves all of them, and only those whose words
 * changed are drawn again.
 *
 *   <RelativeTime at={alert.began} />                `12 s`, `3 min`, `2 h 05 min`, `3 days`: how long it has been
 *   <RelativeTime at={friend.lastSeen} ago />        `12 s ago`, `just now`
 *   <TimeLeft at={step.due} />                       `in 3 min`, `in 40 s`, `any moment`
 *   <ExactTime at={line.at} />                       `14:05`, or with its day if that is not today
 *   <ExactTime at={line.at} full />                  `22 Nov 2025, 14:05:09`
 *
 * The exact time is in its title.
 */
import { useSyncExternalStore } from "react";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function everySecond(changed: () => void): () => void {
  watchers.add(changed);
  timer ??= setInterval(() => {
    for (const each of watchers) each();
  }, SECOND);
  return () => {
    watchers.delete(changed);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export function RelativeTime({ at, ago = false }: { at: number; ago?: boolean }) {
  const text = useSyncExternalStore(everySecond, () => {
    const age = ageText(Date.now() - at);
    if (!ago) return age;
    return Date.now() - at < 5 * SECOND ? "just now" : `${age} ago`;
  });
  return (
    <time dateTime={new Date(at).toISOString()} title={exactText(at)} className="time">
      {text}
    </time>
  );
}

export function TimeLeft({ at }: { at: number }) {
  const text = useSyncExternalStore(everySecond, () => leftText(at - Date.now()));
  return (
    <time dateTime={new Date(at).toISOString()} title={exactText(at)} className="time">
      {text}
    </time>
  );
}

export function ExactTime({ at, full = false }: { at: number; full?: boolean }) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  const text = full ? exactText(at) : today ? HOUR_AND_MINUTE.format(at) : DAY_AND_TIME.format(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={exactText(at)} className="time">
      {text}
    </time>
  );
}

/** How long `ms` is. A clock that is behind makes an age of none, not a negative one. */
export function ageText(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    return `${Math.floor(ms / HOUR)} h ${String(minutes).padStart(2, "0")} min`;
  }
  const days = Math.floor(ms / DAY);
  return days === 1 ? "1 day" : `${days} days`;
}

/** In how long it will be: rounded up, so that there is never less time than it says, and no waiting for a `0 s`. */
export function leftText(ms: number): string {
  if (ms <= 0) return "any moment";
  const step = ms > MINUTE ? MINUTE : SECOND;
  return `in ${ageText(Math.ceil(ms / step) * step)}`;
}

const HOUR_AND_MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Date and time to the second, as this browser's language writes it. */
export function exactText(at: number): string {
  return EXACT.format(at);
}
