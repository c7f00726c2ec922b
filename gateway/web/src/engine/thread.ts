/**
 * A thread: the messages of one conversation, who saw them, and how many are unread. Pure.
 *
 * A list draws the few lines that are in sight, so a line is made when it is asked for, and stays the same object until
 * something about it changes.
 */

import type { AccountId, Conversation, EntryId, MessageLine, PartyId } from "../model";
import { episodeKey, firstAt, insert, type TitleOf, timeOf } from "./episodes";
import type { AlertHeader, MessageRow, StatusRow } from "./lines";

/** A message of ours that waits for its receipt, or was refused. */
export interface PendingMessage {
  id: EntryId;
  conversation: PartyId;
  at: number;
  re: EntryId | null;
  alert: AlertHeader | null;
  refused: boolean;
}

interface Mark {
  account: AccountId;
  /** The index of the message that was seen. */
  about: number;
  at: number;
}

/** What one account saw of the conversation. */
interface Reader {
  /** Each further than the one before. */
  marks: Mark[];
  /** It had the messages from here on: nobody saw what was said before they came into a group. */
  from: number;
}

const indexOf = (row: { index: number }) => row.index;

export class Thread {
  readonly #rows: MessageRow[] = [];
  #byId = new Map<EntryId, MessageRow>();
  #pending: readonly PendingMessage[] = [];
  #readers = new Map<AccountId, Reader>();
  /** Who said of an alert that they saw it, by its index. */
  #seenAlerts = new Map<number, Mark[]>();
  /** Unread alerts, by their index. */
  #unreadAlerts = new Map<number, MessageRow>();
  /** Up to which index we saw an episode's messages. */
  #episodesSeen = new Map<string, number>();
  /** The indices of others' messages that are no alerts, and up to which of them we saw. */
  #plain: number[] = [];
  #plainSeen = -1;

  #made = new Map<number, MessageLine>();
  /** Lines made before the last change of readers and titles are looked at again. */
  #checked = new Set<number>();
  #version = 0;
  #conversation: Conversation | null = null;

  constructor(
    readonly party: PartyId,
    private readonly me: AccountId,
    private readonly titleOf: TitleOf,
  ) {}

  add(row: MessageRow): void {
    insert(this.#rows, row, indexOf);
    this.#byId.set(row.id, row);
    if (this.hasPending) this.#pending = this.#pending.filter(({ id }) => id !== row.id);
    if (row.author === this.me) this.#plainSeen = Math.max(this.#plainSeen, row.index);
    else if (!row.alert) insert(this.#plain, row.index, (index) => index);
    else if (row.index > this.#seenUpTo(row)) this.#unreadAlerts.set(row.index, row);
    this.#heardOf(row.author, row.index);
    this.#change();
  }

  /** Somebody saw `message`. */
  seen(status: StatusRow, message: MessageRow): void {
    const mark = { account: status.author, about: message.index, at: timeOf(status) };
    if (message.alert) {
      const marks = this.#seenAlerts.get(message.index) ?? [];
      if (!marks.some((each) => each.account === mark.account))
        this.#seenAlerts.set(message.index, [...marks, mark]);
    }
    const reader = this.#heardOf(mark.account, mark.about);
    if (mark.about > (reader.marks.at(-1)?.about ?? -1)) reader.marks.push(mark);
    if (mark.account === this.me) this.read(message);
    this.#checked.clear();
    this.#change();
  }

  /** We saw `message`, or did something about it: it is read, and what came before it. */
  read(message: MessageRow): void {
    const isKnown = this.#plainSeen >= message.index;
    if (isKnown && (!message.alert || this.#seenUpTo(message) >= message.index)) return;
    this.#plainSeen = Math.max(this.#plainSeen, message.index);
    if (message.alert) {
      const key = episodeKey(message.author, message.alert.episode);
      const upTo = Math.max(this.#episodesSeen.get(key) ?? -1, message.index);
      this.#episodesSeen.set(key, upTo);
      for (const [index, row] of this.#unreadAlerts)
        if (index <= this.#seenUpTo(row)) this.#unreadAlerts.delete(index);
    }
    this.#change();
  }

  setPending(pending: readonly PendingMessage[]): void {
    // What the chain has is no longer waiting, though its receipt may be on its way.
    this.#pending = pending.filter(({ id }) => !this.#byId.has(id));
    this.#change();
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Titles have changed. */
  retitle(): void {
    this.#checked.clear();
    this.#change();
  }

  /** Messages of others that we have not seen. */
  get unread(): number {
    return this.#unreadPlain + this.#unreadAlerts.size;
  }

  /** What we would say `seen` about, having seen all: the newest of others', and the newest of each unread episode. */
  toRead(): MessageRow[] {
    const wanted = new Map<string, MessageRow>();
    for (const row of this.#unreadAlerts.values())
      if (row.alert) wanted.set(episodeKey(row.author, row.alert.episode), row);
    if (this.#unreadPlain > 0) {
      const newest = this.#rows.findLast((row) => row.author !== this.me);
      if (newest && ![...wanted.values()].includes(newest)) wanted.set(newest.id, newest);
    }
    return [...wanted.values()].sort((one, other) => one.index - other.index);
  }

  /** `at` of the newest message. */
  get latest(): number | null {
    const newest = this.#pending.at(-1) ?? this.#rows.at(-1);
    return newest?.at ?? null;
  }

  conversation(): Conversation {
    this.#conversation ??= {
      party: this.party,
      version: this.#version,
      length: this.#rows.length + this.#pending.length,
      line: (position) => this.#line(position),
      find: (id) => this.#find(id),
    };
    return this.#conversation;
  }

  #change(): void {
    this.#version += 1;
    this.#conversation = null;
  }

  get #unreadPlain(): number {
    return this.#plain.length - firstAt(this.#plain, this.#plainSeen + 1, (index) => index);
  }

  #seenUpTo(row: MessageRow): number {
    return (row.alert && this.#episodesSeen.get(episodeKey(row.author, row.alert.episode))) ?? -1;
  }

  #heardOf(account: AccountId, index: number): Reader {
    const reader = this.#readers.get(account);
    if (reader) {
      reader.from = Math.min(reader.from, index);
      return reader;
    }
    const isGroup = this.party.startsWith("g-");
    const first: Reader = { marks: [], from: isGroup ? index : -1 };
    this.#readers.set(account, first);
    return first;
  }

  #find(id: EntryId): number {
    const pending = this.#pending.findIndex((each) => each.id === id);
    if (pending >= 0) return this.#rows.length + pending;
    const row = this.#byId.get(id);
    return row ? firstAt(this.#rows, row.index, indexOf) : -1;
  }

  #line(position: number): MessageLine {
    const row = this.#rows[position];
    if (row) return this.#committed(row);
    const pending = this.#pending[position - this.#rows.length];
    if (!pending)
      throw new RangeError(`a conversation of ${this.#rows.length} lines has none at ${position}`);
    return this.#waiting(pending);
  }

  #committed(row: MessageRow): MessageLine {
    const before = this.#made.get(row.index);
    if (before && this.#checked.has(row.index)) return before;
    const line: MessageLine = {
      index: row.index,
      id: row.id,
      author: row.author,
      authorTitle: this.titleOf(row.author),
      mine: row.author === this.me,
      at: row.at,
      re: row.re,
      alert: row.alert && { ...row.alert, episode: episodeKey(row.author, row.alert.episode) },
      seenBy: this.#seenBy(row),
      state: "committed",
    };
    this.#checked.add(row.index);
    if (before && JSON.stringify(before) === JSON.stringify(line)) return before;
    this.#made.set(row.index, line);
    return line;
  }

  #waiting({ id, at, re, alert, refused }: PendingMessage): MessageLine {
    return {
      index: -1,
      id,
      author: this.me,
      authorTitle: this.titleOf(this.me),
      mine: true,
      at,
      re,
      alert: alert && { ...alert, episode: episodeKey(this.me, alert.episode) },
      seenBy: [],
      state: refused ? "refused" : "pending",
    };
  }

  #seenBy(row: MessageRow): MessageLine["seenBy"] {
    const marks = row.alert ? (this.#seenAlerts.get(row.index) ?? []) : this.#passedBy(row);
    return marks
      .filter(({ account }) => account !== row.author)
      .map(({ account, at }) => ({ account, title: this.titleOf(account), at }));
  }

  /** The first mark of each reader that is not before the message: who saw a later one saw this one. */
  #passedBy(row: MessageRow): Mark[] {
    return [...this.#readers.values()].flatMap(({ marks, from }) => {
      if (from > row.index) return [];
      return marks[firstAt(marks, row.index, (mark) => mark.about)] ?? [];
    });
  }
}
