/** What an opened message says, in one line for a person. */

import type { AccountId, Opened } from "../../model";
import { amount, sensorInWords } from "./amounts";
import { clock, sameDay, shortDay } from "./days";
import { changesInWords } from "./limits";

const REASONS: Readonly<Record<string, string>> = {
  "bad-quality": "it calls its own values bad",
  exit: "its program ended",
  "no-value": "no value",
  "not-a-number": "not a number",
  impossible: "it gives values that cannot be",
  silent: "it went silent",
  stuck: "it gives the same value all the time",
  timeout: "timeout",
  unreadable: "what it says cannot be read",
  "wrong-unit": "it measures in another unit than its limits are in",
};

export function said(opened: Opened): string {
  switch (opened.kind) {
    case "text":
      return oneLine(opened.text);
    case "reading":
      return `${sensorInWords(opened.sensor, opened.channel)} ${amount(opened.value, opened.unit)}`;
    case "episode":
      return episode(opened);
    case "gap":
      return `${opened.sensor}: ${count(opened.lost)} lost, ${period(opened.from, opened.to)}`;
    case "heartbeat":
      return heartbeat(opened);
    case "fault":
      return fault(opened.sensor, opened.reason);
    case "limits":
      return `Other limits asked for ${opened.sensor}: ${changesInWords(opened.changes, "")}`;
    case "settings":
      return opened.refused === null
        ? "The limits in force"
        : `Limits not taken over: ${oneLine(opened.refused)}`;
    case "forward":
      return "A message that was passed on";
    case "drill":
      return oneLine(opened.text);
    case "file":
      return opened.text === "" ? `File ${shownName(opened.name)}` : oneLine(opened.text);
    case "other":
      return oneLine(opened.text);
    case "erased":
      return "This message was erased";
    case "sealed":
      return "This message cannot be opened here";
  }
}

function episode(said: Extract<Opened, { kind: "episode" }>): string {
  const { what, value, limit, since, until, unit } = said;
  const sensor = sensorInWords(said.sensor, said.channel);
  if (what !== "low" && what !== "high") return fault(sensor, until === null ? what : "recovered");
  const side = what === "low" ? "below" : "above";
  const beyond = `${side} ${limit === null ? "its limit" : amount(limit, unit)}`;
  const now = value === null ? "" : ` ${amount(value, unit)},`;
  if (until !== null) return `${sensor}:${now} no longer ${beyond}`;
  return `${sensor}:${now} ${beyond} since ${moment(since)}`;
}

function heartbeat({ from, to, sensors }: Extract<Opened, { kind: "heartbeat" }>): string {
  if (sensors.every(({ samples }) => samples === 0)) return `Nothing recorded ${period(from, to)}`;
  return `Recorded ${period(from, to)}: ${sensors.map(({ sensor, samples }) => `${sensor} ${samples}`).join(", ")}`;
}

function count(readings: number): string {
  return readings === 1 ? "1 reading" : `${readings} readings`;
}

function period(from: number, to: number): string {
  return `from ${moment(from)} to ${moment(to)}`;
}

/** The time of day; with its day, if that is another one. */
function moment(at: number): string {
  return sameDay(at, Date.now()) ? clock(at) : `${clock(at)}, ${shortDay(at)}`;
}

function fault(sensor: string, reason: string): string {
  if (reason === "recovered") return `Sensor ${sensor} gives readings again`;
  return `Sensor ${sensor} gives no readings (${REASONS[reason] ?? reason})`;
}

function oneLine(text: string): string {
  const whole = text.trim().replace(/\s+/gu, " ");
  return whole.length <= 160 ? whole : `${whole.slice(0, 159).trimEnd()}…`;
}

/** A file's name, without what could make it look like another one: controls, and marks that turn the direction. */
export function shownName(name: string): string {
  const shown = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return shown === "" ? "unnamed file" : shown;
}

/** A kilobyte has 1,024 bytes here, as in the limit of an attachment. Rounded up: what is over the limit looks so. */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return `${Math.ceil((bytes * 10) / 1024) / 10} kB`;
}

/** What people are called to one of them, who comes first: `you`, `Dr. Lee`. */
export function namesFor(
  me: AccountId | undefined,
  people: readonly { account: AccountId; title: string }[],
): readonly string[] {
  const others = people.filter((each) => each.account !== me).map((each) => each.title);
  return others.length < people.length ? ["you", ...others] : others;
}

/** `Dr. Lee, fridge-2 and 3 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, names.length > most ? most - 1 : most);
  const rest = names.length - shown.length;
  const parts = rest > 0 ? [...shown, `${rest} more`] : shown;
  const last = parts.at(-1);
  return parts.length < 2 || last === undefined
    ? parts.join("")
    : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
