/**
 * Lines: one light row for each entry that the account may have.
 *
 * All of them are read when the page starts, so there is nothing in them that is not listed, counted or sounded.
 */

import type { AccountId, EntryId, PartyId, Priority, SnoozeReason } from "../model";
import type { Deed, Entry } from "../proto/entry";
import { outsideOf } from "../proto/sealing";
import type { Delivered } from "../proto/wire";

interface Base {
  index: number;
  id: EntryId;
  author: AccountId;
  /** The author's clock. */
  at: number;
  /** The gateway's clock when it was committed, as far as it is known. */
  committed: number | null;
}

export interface AlertHeader {
  episode: string;
  priority: Priority;
  state: "start" | "continue" | "end";
  kind: "physiological" | "technical";
}

export interface MessageRow extends Base {
  type: "message";
  conversation: PartyId;
  /** What its entry is addressed to. */
  to: PartyId;
  re: EntryId | null;
  alert: AlertHeader | null;
  /** Its content type, as its author wrote it outside of the seal; null if it was erased. */
  cty: string | null;
}

export interface StatusRow extends Base {
  type: "status";
  about: EntryId;
  state: "seen" | "taken" | "released" | "resolved" | "snoozed";
  /** Of a snooze. */
  until: number | null;
  reason: SnoozeReason | null;
}

/** What contracts did because time passed. */
export interface TickRow extends Base {
  type: "tick";
  did: readonly Deed[];
}

export interface RedactRow extends Base {
  type: "redact";
  about: EntryId;
}

/** An entry that changes who is who: nothing of it is shown but its effect. */
export interface OtherRow extends Base {
  type: "other";
  says:
    | "invite"
    | "account"
    | "profile"
    | "key"
    | "revoke"
    | "contact"
    | "group"
    | "contract"
    | "approve"
    | "shift";
  /** Whose keys or account it is about. */
  account: AccountId | null;
}

export type Row = MessageRow | StatusRow | TickRow | RedactRow | OtherRow;

/** The conversation, seen from `me`: a group's id, or the other account. */
export function conversationOf(author: AccountId, to: PartyId, me: AccountId): PartyId {
  return to.startsWith("g-") || author === me ? to : author;
}

/** Where an entry was committed, and the body that came with it. */
export interface Placed {
  index: number;
  committed: number | null;
  body?: string | undefined;
}

export function rowOf(entry: Entry, { index, committed, body }: Placed, me: AccountId): Row {
  const base: Base = { index, id: entry.id, author: entry.author, at: entry.at, committed };
  switch (entry.type) {
    case "message":
      return {
        ...base,
        type: "message",
        conversation: conversationOf(entry.author, entry.to, me),
        to: entry.to,
        re: entry.re ?? null,
        alert: entry.alert ?? null,
        cty: (body === undefined ? null : outsideOf(body)?.cty) ?? null,
      };
    case "status": {
      const { about, state, until = null, reason = null } = entry;
      return { ...base, type: "status", about, state, until, reason };
    }
    case "tick":
      return { ...base, type: "tick", did: entry.did };
    case "redact":
      return { ...base, type: "redact", about: entry.about };
    case "key":
    case "revoke":
      return { ...base, type: "other", says: entry.type, account: entry.account };
    default:
      return { ...base, type: "other", says: entry.type, account: null };
  }
}

/** A row with the entry that it is made of, as it came: sealed, and with its receipt. */
export interface Taken {
  row: Row;
  delivered: Delivered;
}
