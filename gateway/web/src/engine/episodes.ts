/**
 * Episodes: what became of an alert. Pure.
 *
 * Condition, acknowledgement and sounding are three things: a condition that ends while nobody took it stays listed,
 * and a priority that rises clears the taking.
 */

import type { AccountId, AlertView, EntryId, PartyId, Priority } from "../model";
import type { AlertHeader, MessageRow, StatusRow } from "./lines";

export type TitleOf = (account: AccountId) => string;

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

/** The state of an episode after some of its entries. */
interface State {
  header: AlertHeader;
  active: boolean;
  /** The message from which on an answer counts: one that rose in priority wants an answer of its own. */
  since: number;
  taken: Answer | null;
  resolved: boolean;
}

/** What somebody said about the message at `about`. */
interface Said {
  status: StatusRow;
  about: number;
}

type Event = MessageRow | Said;

const indexOf = (event: Event) => ("status" in event ? event.status.index : event.index);

/** The entries of one episode, in the order of the chain, and what follows from them. */
export class Episode {
  #events: Event[] = [];
  #ids: EntryId[] = [];
  #seen = new Map<AccountId, number>();
  #first: MessageRow | null = null;
  #newest: MessageRow | null = null;
  #state: State | null = null;
  /** How many of the events the state follows from. */
  #folded = 0;
  #view: AlertView | null = null;

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

  /** Titles have changed. */
  forget(): void {
    this.#view = null;
  }

  view(titleOf: TitleOf): AlertView | null {
    this.#view ??= this.#look(titleOf);
    return this.#view;
  }

  #take(event: Event): void {
    insert(this.#events, event, indexOf);
    // What comes late changes what followed.
    if (this.#events.at(-1) !== event) this.#forgetState();
    this.#view = null;
  }

  #forgetState(): void {
    this.#ids = [];
    this.#seen.clear();
    this.#first = this.#newest = this.#state = null;
    this.#folded = 0;
  }

  #look(titleOf: TitleOf): AlertView | null {
    for (; this.#folded < this.#events.length; this.#folded += 1) this.#fold(this.#events[this.#folded]);
    const state = this.#state;
    if (!state || !this.#first || !this.#newest) return null;
    const { taken } = state;
    return {
      episode: this.key,
      priority: state.header.priority,
      kind: state.header.kind,
      active: state.active,
      takenBy: taken && { ...taken, title: titleOf(taken.account), mine: taken.account === this.me },
      resolved: state.resolved,
      open: taken === null && !state.resolved,
      sounding: taken === null && !state.resolved,
      duty: true,
      snoozed: null,
      escalation: null,
      nobody: null,
      overdue: null,
      concerned: [],
      drill: false,
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
    } else {
      this.#state = continued(this.#state, event);
      this.#first ??= event;
      this.#newest = event;
      this.#ids.push(event.id);
    }
  }
}

function continued(before: State | null, row: MessageRow): State | null {
  const header = row.alert;
  if (!header) return before;
  if (!before)
    return { header, active: header.state !== "end", since: row.index, taken: null, resolved: false };
  // Who says that it is over does not say how urgent it was.
  if (header.state === "end") return { ...before, active: false };
  const rose = URGENCY[header.priority] > URGENCY[before.header.priority];
  const again = header.state === "start" && !before.active;
  const open = rose || again ? { since: row.index, taken: null, resolved: false } : {};
  return { ...before, ...open, header, active: true };
}

function answered(before: State | null, { status, about }: Said): State | null {
  if (!before) return before;
  switch (status.state) {
    case "taken":
      // Who took what it was before it rose does not know what it is now.
      if (about < before.since) return before;
      return { ...before, taken: { account: status.author, at: timeOf(status) } };
    case "released":
      return { ...before, taken: null };
    case "resolved":
      return about < before.since ? before : { ...before, resolved: true };
    case "seen":
      return before;
  }
}

/** Whether it is of concern: open, or going on, or over so recently that somebody may look for it. */
export function isListed(view: AlertView, now: number): boolean {
  return view.open || view.active || view.latest > now - RECENT_MS;
}

/**
 * Which comes first: open ones, then those that go on, by priority and the oldest first; then those that are over and
 * were taken care of, the newest first.
 */
export function compare(one: AlertView, other: AlertView): number {
  const rank = rankOf(one) - rankOf(other);
  if (rank !== 0) return rank;
  if (rankOf(one) === OVER) return other.latest - one.latest;
  return URGENCY[other.priority] - URGENCY[one.priority] || one.began - other.began;
}

const OVER = 2;

function rankOf({ open, active }: AlertView): number {
  if (open) return 0;
  return active ? 1 : OVER;
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
