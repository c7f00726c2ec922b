/** What waits in the outbox, as a person sees it. Pure. */

import type { AccountId, EntryId, PartyId, Unsent } from "../model";
import { type Entry, parseEntry } from "../proto/entry";
import { FORWARD } from "../proto/forward";
import { outsideOf } from "../proto/sealing";
import type { Parcel } from "../proto/wire";
import { wordsOf } from "./errors";
import { type MessageRow, rowOf } from "./lines";
import type { Waiting } from "./store";
import type { PendingMessage } from "./thread";

export type PartyTitle = (party: PartyId) => string;

/** What an entry is, for a person. */
export function describe(entry: Entry, title: PartyTitle): string {
  switch (entry.type) {
    case "message":
      return `message to ${title(entry.to)}`;
    case "status":
      return STATUS[entry.state];
    case "contact":
      return describeContact(entry, title);
    default:
      return OTHERS[entry.type];
  }
}

const STATUS = {
  seen: "that you have seen a message",
  taken: "that you take an alert",
  released: "that you release an alert",
  resolved: "that an alert is resolved",
  snoozed: "that an alert is left alone for a while",
};

const OTHERS = {
  invite: "invitation",
  account: "new account",
  profile: "change of your profile",
  key: "change of keys",
  revoke: "end of an account",
  group: "change of a group",
  redact: "erasure of a message",
  contract: "change of a contract",
  approve: "approval of what another admin does",
  shift: "change of who is on duty",
  tick: "tick",
};

function describeContact(entry: Entry & { type: "contact" }, title: PartyTitle): string {
  const peer = title(entry.peer);
  switch (entry.action) {
    case "request":
      return `request to ${peer} to be a contact`;
    case "accept":
      return `acceptance of ${peer} as a contact`;
    case "remove":
      return `removal of ${peer} from your contacts`;
    case "link":
      return `link of ${title(entry.of ?? "")} and ${peer}`;
    case "unlink":
      return `end of the link of ${title(entry.of ?? "")} and ${peer}`;
  }
}

/** Lines for the person; that something was seen is no line, unless it was refused. */
export function unsentOf(waiting: readonly Waiting[], title: PartyTitle): Unsent[] {
  return waiting.flatMap(({ id, parcel, refused }) => {
    const { entry } = parseEntry(parcel.entry);
    if (entry.type === "status" && entry.state === "seen" && !refused) return [];
    if (entry.type === "message" && isForward(parcel)) return [];
    return {
      id,
      what: describe(entry, title),
      conversation: entry.type === "message" ? entry.to : null,
      state: refused ? "refused" : "pending",
      reason: refused && wordsOf(refused.rule, refused.reason),
    };
  });
}

/** The messages that what waits says something about: they are read, though the chain does not know it yet. */
export function answeredIn(waiting: readonly Waiting[]): EntryId[] {
  return waiting.flatMap(({ parcel, refused }) => {
    const { entry } = parseEntry(parcel.entry);
    return entry.type === "status" && !refused ? [entry.about] : [];
  });
}

/** Messages among what waits, in order. What hands on another one is no line of a conversation. */
export function pendingOf(waiting: readonly Waiting[]): PendingMessage[] {
  return waiting.flatMap(({ parcel, refused }) => {
    const { entry } = parseEntry(parcel.entry);
    if (entry.type !== "message" || isForward(parcel)) return [];
    const { id, to, at, re = null, alert = null } = entry;
    return { id, conversation: to, at, re, alert, refused: refused !== null };
  });
}

/** Messages among what waits, as they will be on the chain: after all that is. */
export function messagesIn(waiting: readonly Waiting[], me: AccountId): MessageRow[] {
  return waiting.flatMap(({ parcel, refused }) => {
    const { entry } = parseEntry(parcel.entry);
    const row = rowOf(entry, { index: Number.MAX_SAFE_INTEGER, committed: null, body: parcel.body }, me);
    return row.type === "message" && !refused ? row : [];
  });
}

/** Nobody asked for it, and nobody is told of it: an alert is handed on to who came later. */
export function isForward({ body }: Parcel): boolean {
  return body !== undefined && outsideOf(body)?.cty === FORWARD;
}
