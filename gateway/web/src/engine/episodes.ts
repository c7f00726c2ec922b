/**
 * Episodes: what became of an alert. Pure; the same rules as in `chain/alerts.py`.
 *
 * Condition, acknowledgement and sounding are three things: a condition that ends while nobody took it stays listed,
 * and a priority that rises clears the taking.
 */

import type { AccountId, AlertView, EntryId, Escalation, PartyId, Priority, SnoozeReason } from "../model";
import { DRILL } from "../proto/content";
import type { Deed } from "../proto/entry";
import type { AlertHeader, MessageRow, StatusRow, TickRow } from "./lines";

export type TitleOf = (party: PartyId) => string;

/** What the gateway says of how an alert escalates: only its word. Times are in ms, by this browser's clock. */
export interface Outlook {
  steps: readonly { to: PartyId; name: string | null }[];
  concerns: readonly PartyId[];
  /** From 0. */
  lap: number;
  /** The newest step that fired; null if none did. */
  step: number | null;
  nobody: boolean;
  due: number | null;
}

/** What an alert is seen with, beside its entries. */
export interface Around {
  titleOf: TitleOf;
  /** Whether we are on duty for a party. */
  isOn(party: PartyId): boolean;
  /** By its first message. */
  outlook(alert: EntryId): Outlook | undefined;
}

const URGENCY: Record<Priority, number> = { high: 3, medium: 2, low: 1, info: 0 };

/** An alert that is over and was taken care of stays in sight for so long, with at most so many others. */
const RECENT_MS = 24 * 60 * 60 * 1000;
const MOST_RECENT = 50;

/**
 * What an episode is known by. Its id is its author's to choose, and nobody else's message goes on with it: or whoever
 * may write to us could end the alert of another.
 */
export function episodeKey(author: AccountId, episode: string): string {
  return `${author}.${episode}`;
}

interface Answer {
  account: AccountId;
  at: number;
}

/** The gateway's time, as far as it is known. */
export function timeOf(row: { committed: number | null; at: number }): number {
  return row.committed ?? row.at;
}

interface Snooze extends Answer {
  until: number;
  reason: SnoozeReason;
}

/** What was reached of an escalation: each step of this lap, and when. */
interface Progress {
  lap: number;
  steps: ReadonlyMap<number, { to: PartyId; at: number }>;
  nobody: number | null;
}

/** The state of an episode after some of its entries. */
interface State {
  header: AlertHeader;
  active: boolean;
  /** The message from which on an answer counts: one that rose in priority wants an answer of its own. */
  since: number;
  taken: Answer | null;
  resolved: boolean;
  snoozed: Snooze | null;
  progress: Progress;
  overdue: Answer | null;
}

const FROM_THE_BEGINNING: Progress = { lap: 0, steps: new Map(), nobody: null };

/** What somebody said about the message at `about`. */
interface Said {
  status: StatusRow;
  about: number;
}

/** What a tick did to one episode. */
interface Done {
  tick: TickRow;
  deeds: readonly Deed[];
}

type Event = MessageRow | Said | Done;

function indexOf(event: Event): number {
  if ("status" in event) return event.status.index;
  return "tick" in event ? event.tick.index : event.index;
}

/** The entries of one episode, in the order of the chain, and what follows from them. */
export class Episode {
  #events: Event[] = [];
  #ids: EntryId[] = [];
  #seen = new Map<AccountId, number>();
  #first: MessageRow | null = null;
  #newest: MessageRow | null = null;
  #state: State | null = null;
  #concerned = new Set<PartyId>();
  /** How many of the events the state follows from. */
  #folded = 0;
  #view: AlertView | null = null;
  #stale = true;
  /** When the view is another one though nothing came: a snooze ends. */
  #until = Number.POSITIVE_INFINITY;

  constructor(
    readonly key: string,
    readonly author: AccountId,
    private readonly conversation: PartyId,
    private readonly me: AccountId,
  ) {}

  add(row: MessageRow): void {
    this.#take(row);
  }

  /** What somebody said about its message at `about`. */
  answer(status: StatusRow, about: number): void {
    this.#take({ status, about });
  }

  /** What contracts did about it. */
  tick(tick: TickRow, deeds: readonly Deed[]): void {
    this.#take({ tick, deeds });
  }

  /** What it is seen with has changed. The same view is the same object all the same. */
  forget(): void {
    this.#stale = true;
  }

  view(around: Around, now: number): AlertView | null {
    if (this.#view && !this.#stale && now < this.#until) return this.#view;
    const view = this.#look(around, now);
    if (JSON.stringify(view) !== JSON.stringify(this.#view)) this.#view = view;
    this.#stale = false;
    return this.#view;
  }

  /** A message of it says something else now: the view is another object, so that it is looked at again. */
  renew(): void {
    this.#view = null;
  }

  /** The parties that it was addressed to, and those that a step named. */
  get concerned(): ReadonlySet<PartyId> {
    this.#foldAll();
    return this.#concerned;
  }

  #take(event: Event): void {
    insert(this.#events, event, indexOf);
    // What comes late changes what followed.
    if (this.#events.at(-1) !== event) this.#forgetState();
    this.#stale = true;
  }

  #forgetState(): void {
    this.#ids = [];
    this.#seen.clear();
    this.#concerned.clear();
    this.#first = this.#newest = this.#state = null;
    this.#folded = 0;
  }

  #foldAll(): void {
    for (; this.#folded < this.#events.length; this.#folded += 1) this.#fold(this.#events[this.#folded]);
  }

  #look({ titleOf, isOn, outlook }: Around, now: number): AlertView | null {
    this.#foldAll();
    const state = this.#state;
    if (!state || !this.#first || !this.#newest) return null;
    const { taken, overdue } = state;
    const said = outlook(this.#first.id);
    const open = taken === null && !state.resolved;
    const snoozed = open && state.snoozed && now < state.snoozed.until ? state.snoozed : null;
    this.#until = snoozed?.until ?? Number.POSITIVE_INFINITY;
    const isDrill = this.#first.cty === DRILL;
    const concerned = new Set([...this.#concerned, ...(said?.concerns ?? [])]);
    const duty = [...concerned].some(isOn);
    const nobody = state.progress.nobody ?? (said?.nobody ? timeOf(this.#newest) : null);
    const nameOf = (party: PartyId) => said?.steps.find(({ to }) => to === party)?.name ?? titleOf(party);
    const person = (account: AccountId) => ({
      account,
      title: titleOf(account),
      mine: account === this.me,
    });
    return {
      episode: this.key,
      priority: state.header.priority,
      kind: state.header.kind,
      // Nobody says of a drill that it has ended.
      active: state.active && !(isDrill && state.resolved),
      takenBy: taken && { ...person(taken.account), at: taken.at },
      resolved: state.resolved,
      open,
      sounding: open && snoozed === null && (duty || nobody !== null),
      duty,
      snoozed: snoozed && {
        ...person(snoozed.account),
        until: snoozed.until,
        reason: snoozed.reason,
      },
      escalation: escalationOf(state.progress, said, titleOf, open && snoozed === null && nobody === null),
      nobody,
      overdue: overdue && { at: overdue.at, title: titleOf(overdue.account) },
      concerned: [...concerned].map(nameOf).sort((one, other) => one.localeCompare(other)),
      drill: isDrill,
      seenBy: [...this.#seen].map(([account, at]) => ({ account, title: titleOf(account), at })),
      conversation: this.conversation,
      author: this.author,
      authorTitle: titleOf(this.author),
      began: timeOf(this.#first),
      latest: timeOf(this.#newest),
      message: this.#newest.id,
      messages: this.#ids.slice(),
    };
  }

  #fold(event: Event | undefined): void {
    if (!event) return;
    if ("status" in event) {
      const { status } = event;
      this.#state = answered(this.#state, event);
      if (status.state === "seen" && !this.#seen.has(status.author))
        this.#seen.set(status.author, timeOf(status));
    } else if ("tick" in event) {
      for (const deed of event.deeds) {
        this.#state = this.#state && changed(this.#state, deed, timeOf(event.tick));
        if (deed.to !== undefined) this.#concerned.add(deed.to);
      }
    } else {
      this.#state = continued(this.#state, event);
      this.#concerned.add(event.to);
      this.#first ??= event;
      this.#newest = event;
      this.#ids.push(event.id);
    }
  }
}

function continued(before: State | null, row: MessageRow): State | null {
  const header = row.alert;
  if (!header) return before;
  const fresh = {
    ...{ since: row.index, taken: null, resolved: false },
    ...{ snoozed: null, progress: FROM_THE_BEGINNING, overdue: null },
  };
  if (!before) return { header, active: header.state !== "end", ...fresh };
  // Who says that it is over does not say how urgent it was.
  if (header.state === "end") return { ...before, active: false };
  const rose = URGENCY[header.priority] > URGENCY[before.header.priority];
  const again = header.state === "start" && !before.active;
  return { ...before, ...(rose || again ? fresh : {}), header, active: true };
}

function answered(before: State | null, { status, about }: Said): State | null {
  // Who answered what it was before it rose does not know what it is now.
  if (!before || about < before.since) return before;
  const answer = { account: status.author, at: timeOf(status) };
  switch (status.state) {
    case "taken":
      return { ...before, taken: answer, snoozed: null };
    case "released":
      if (!before.taken) return before;
      // It goes on where it was; from the beginning if nobody had answered even then.
      return { ...before, taken: null, ...(before.progress.nobody === null ? {} : begun) };
    case "resolved":
      return { ...before, resolved: true, snoozed: null };
    case "snoozed": {
      const { until, reason } = status;
      if (before.taken || before.resolved || until === null || reason === null) return before;
      return { ...before, snoozed: { ...answer, until, reason } };
    }
    case "seen":
      return before;
  }
}

const begun = { snoozed: null, progress: FROM_THE_BEGINNING };

/** After what a contract did to it at `at`. */
function changed(before: State, deed: Deed, at: number): State {
  const { progress } = before;
  switch (deed.did) {
    case "step": {
      const { step = 0, to } = deed;
      if (to === undefined) return before;
      const lap = step === 0 ? progress.lap + 1 : progress.lap;
      const steps = new Map(step === 0 ? [] : progress.steps).set(step, { to, at });
      return { ...before, progress: { ...progress, lap, steps } };
    }
    case "nobody":
      return { ...before, progress: { ...progress, nobody: at } };
    case "overdue": {
      const overdue = before.taken && { account: before.taken.account, at };
      return { ...before, ...begun, taken: null, overdue };
    }
    case "woken":
      return { ...before, snoozed: null };
    case "erased":
      return before;
  }
}

/** The steps as the gateway lists them, with what the chain says of each; those of the chain alone if it lists none. */
function escalationOf(
  { lap, steps: reached }: Progress,
  said: Outlook | undefined,
  titleOf: TitleOf,
  runs: boolean,
): Escalation | null {
  const known = [...reached].sort(([one], [other]) => one - other);
  const listed: Outlook["steps"] = said?.steps ?? known.map(([, { to }]) => ({ to, name: null }));
  if (listed.length === 0) return null;
  const steps = listed.map(({ to, name }, step) => ({
    party: to,
    title: name ?? titleOf(to),
    at: reached.get(step)?.at ?? null,
  }));
  const last = reached.size > 0 ? Math.max(...reached.keys()) : (said?.step ?? -1);
  const due = runs ? (said?.due ?? null) : null;
  return {
    steps,
    next: due === null ? null : { title: steps[last + 1]?.title ?? null, due },
    lap: Math.max(lap, (said?.lap ?? 0) + 1, 1),
  };
}

/** Whether it is of concern: open, or going on, or over so recently that somebody may look for it. */
export function isListed(view: AlertView, now: number): boolean {
  return view.open || view.active || view.latest > now - RECENT_MS;
}

/**
 * Which comes first: those that sound, then those that are open, then those that go on, by priority and the oldest
 * first; then those that are over and were taken care of, the newest first.
 */
export function compare(one: AlertView, other: AlertView): number {
  const rank = rankOf(one) - rankOf(other);
  if (rank !== 0) return rank;
  if (rankOf(one) === OVER) return other.latest - one.latest;
  return URGENCY[other.priority] - URGENCY[one.priority] || one.began - other.began;
}

const OVER = 3;

function rankOf({ sounding, open, active }: AlertView): number {
  if (sounding) return 0;
  if (open) return 1;
  return active ? 2 : OVER;
}

/** In order, without those that are over and one too many. */
export function listed(sorted: readonly AlertView[]): AlertView[] {
  const over = sorted.findIndex((view) => rankOf(view) === OVER);
  return over < 0 ? sorted.slice() : sorted.slice(0, over + MOST_RECENT);
}

/** Puts `value` where it belongs by its index; most often that is the end. */
export function insert<T>(sorted: T[], value: T, indexOf: (each: T) => number): void {
  const index = indexOf(value);
  const last = sorted.at(-1);
  if (last === undefined || indexOf(last) < index) {
    sorted.push(value);
    return;
  }
  const place = firstAt(sorted, index, indexOf);
  const there = sorted[place];
  if (there !== undefined && indexOf(there) === index) sorted[place] = value;
  else sorted.splice(place, 0, value);
}

/** The position of the first that is not below `index`. */
export function firstAt<T>(sorted: readonly T[], index: number, indexOf: (each: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = sorted[middle];
    if (there !== undefined && indexOf(there) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}
