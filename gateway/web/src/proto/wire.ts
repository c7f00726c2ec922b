/** What travels: the parcel that brings an entry in, and the answers that come back. */

import { type Body, checkBody, handleShape, nameShape } from "./body";
import { b64url, readCanonical } from "./encoding";
import {
  bodyOf,
  entryIdShape,
  hashShape,
  kindShape,
  originShape,
  parseEntry,
  roleShape,
  type SignedEntry,
  streamShape,
} from "./entry";
import { Malformed, Unverified } from "./errors";
import { accountIdShape, partyIdShape, type SigningKey } from "./identity";
import * as jws from "./jws";
import {
  boolean,
  integer,
  list,
  literal,
  nullable,
  type Of,
  open,
  optional,
  type Shape,
  strict,
  text,
} from "./shape";

export const MAX_PARCEL_BYTES = 655_360;

// Out

/**
 * An entry and the body that travels beside it. `after` is not signed: it is the seq of the entry that its author
 * sent before this one in the same stream and still waits for.
 */
export const readParcel = strict({
  entry: text(),
  salt: optional(hashShape),
  body: optional(text()),
  after: optional(integer()),
});
export type Parcel = Of<typeof readParcel>;

export function makeParcel(leaf: string, body?: Body): Parcel {
  return body ? { entry: leaf, salt: b64url(body.salt), body: body.content } : { entry: leaf };
}

// In

/**
 * A committed entry with its body, for somebody who may have it. An erased body is left out. `committed` is the
 * gateway's clock (ms) when it was: only its word.
 */
export const readDelivered = open({
  index: integer(),
  entry: text(),
  receipt: text(),
  committed: optional(integer()),
  salt: optional(hashShape),
  body: optional(text()),
});
export type Delivered = Of<typeof readDelivered>;

/** A delivered entry that parsed: its body is the one it binds, or was erased. Its signature is not checked yet. */
export interface Opened {
  signed: SignedEntry;
  body: Body | null;
}

export function openDelivered(delivered: Delivered): Opened {
  const signed = parseEntry(delivered.entry);
  const ref = bodyOf(signed.entry);
  const { salt, body } = delivered;
  if (salt === undefined && body === undefined) return { signed, body: null };
  if (salt === undefined || body === undefined || ref === undefined) {
    throw new Malformed("delivered: want body and salt together, and only where the entry binds a body");
  }
  return { signed, body: checkBody(ref, salt, body) };
}

/** Proof that a newer checkpoint continues the one of `size` entries. */
export const readConsistency = open({ size: integer(), path: list(hashShape, 0, 64) });
export type Consistency = Of<typeof readConsistency>;

/** `previous` is the index of the last entry delivered before these (-1: none): a gap shows at once. */
export const readDelivery = open({
  previous: integer(-1),
  entries: list(readDelivered),
  consistency: optional(readConsistency),
});
export type Delivery = Of<typeof readDelivery>;

/** What was submitted is committed. */
export const readReceipted = open({ id: entryIdShape, index: integer(), receipt: text() });
export type Receipted = Of<typeof readReceipted>;

/** An admin has to compare six digits before it is committed: the same is to be handed in again. */
const readMatch = open({ nonce: text({ pattern: /^[A-Za-z0-9_-]{21}[AQgw]$/ }) });
export type Match = Of<typeof readMatch>;

/** The answer to an account that is handed in. */
export const readRegistered: Shape<Receipted | Match> = (value, what) =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "nonce")
    ? readMatch(value, what)
    : readReceipted(value, what);

/**
 * An account and the proof of its keys: its `account` entry and every `key` entry since, oldest first. `handle` and
 * `name` are what its profile says, and only the gateway's word.
 */
export const readParty = open({
  account: accountIdShape,
  kind: kindShape,
  role: roleShape,
  live: boolean,
  entries: list(readDelivered),
  handle: nullable(handleShape),
  name: nullable(nameShape),
});
export type Party = Of<typeof readParty>;

/** A party that a step of an escalation names, and who of it is to be sealed for. */
const readNamed = open({
  to: partyIdShape,
  recipients: list(readParty),
  group: optional(nullable(readDelivered)),
  admin: optional(nullable(readParty)),
});

/**
 * Both sides exist and may talk: the addressees, each with the proof of its keys. For a group, `group` is the
 * admin's entry that names its members, and `admin` whoever signed it. Of an alert, `escalation` is the contract that
 * brings it to more people, the admin who signed that, and these people.
 */
export const readIntentAnswer = open({
  to: partyIdShape,
  recipients: list(readParty),
  group: nullable(readDelivered),
  admin: nullable(readParty),
  escalation: optional(
    nullable(open({ contract: readDelivered, admin: readParty, parties: list(readNamed) })),
  ),
});
export type IntentAnswer = Of<typeof readIntentAnswer>;

/** What a newcomer needs to know, and may check. `gateway` is the genesis entry; `now` the gateway's clock in ms. */
export const readSite = open({
  origin: originShape,
  gateway: readDelivered,
  now: integer(),
  mqtt_host: text(),
  mqtt_port: integer(0, 65_535),
  version: text(),
  pin: text(),
});
export type Site = Of<typeof readSite>;

/** What an unused join code is for. `id` is the invite's entry, which the new account's entry names. */
export const readInvited = open({
  id: entryIdShape,
  handle: handleShape,
  kind: kindShape,
  role: roleShape,
  expires: integer(),
});
export type Invited = Of<typeof readInvited>;

/** Who is logged in, and until when if nothing more is asked. */
export const readMe = open({
  account: accountIdShape,
  handle: nullable(text()),
  name: nullable(text()),
  role: roleShape,
  expires: integer(),
});
export type Me = Of<typeof readMe>;

/** What a password is derived under. */
export const readSalt = open({ salt: streamShape });
export type Salt = Of<typeof readSalt>;

/**
 * `asked`: they wait for us. `asking`: we wait for them. `member`: a group that we are in. `online` and `last_seen`
 * (ms) are told of contacts only.
 */
export const readFriend = open({
  id: partyIdShape,
  kind: literal("person", "device", "service", "group"),
  state: literal("contact", "asked", "asking", "member"),
  live: boolean,
  handle: nullable(text()),
  name: nullable(text()),
  online: boolean,
  last_seen: nullable(integer()),
});
export type Friend = Of<typeof readFriend>;

export const readFriends = open({ friends: list(readFriend) });
export type Friends = Of<typeof readFriends>;

/** The newest messages of a conversation, oldest first; `before` is where the next older page begins. */
export const readHistory = open({ messages: list(readDelivered), before: nullable(integer()) });
export type History = Of<typeof readHistory>;

/** The newest checkpoint, as an event. */
export const readHead = open({ checkpoint: text() });
export type Head = Of<typeof readHead>;

/** A contact came, or went, as an event. */
export const readPresenceOf = open({ id: accountIdShape, online: boolean });
export type PresenceOf = Of<typeof readPresenceOf>;

/** Why the gateway commits nothing; no reason, once it does again. */
export const readHalted = open({ reason: nullable(text()) });
export type Halted = Of<typeof readHalted>;

/** A live account by its exact handle: only the gateway's word. */
export const readFound = open({
  account: accountIdShape,
  kind: kindShape,
  handle: text(),
  name: nullable(text()),
});
export type Found = Of<typeof readFound>;

/** The session has ended, as an event. */
export const readEnd = open({ detail: text() });
export type End = Of<typeof readEnd>;

/** Why the gateway said no (RFC 9457). `rule` is the chain's, `refusal` the gateway's signed word for it. */
export const readProblem = open({
  type: text(),
  title: text(),
  status: integer(),
  detail: text(),
  rule: optional(text()),
  refusal: optional(text()),
  now: optional(integer()),
});
export type Problem = Of<typeof readProblem>;

// Refusals

/** Why an entry was not committed. `digest` is the SHA-256 of the parcel's bytes as they came. */
const refusalShape = strict({
  chain: text(),
  rule: text(),
  reason: text({ max: 400 }),
  digest: hashShape,
  at: integer(),
  id: optional(entryIdShape),
  stream: optional(text()),
  seq: optional(integer()),
});
export type Refusal = Of<typeof refusalShape>;

/** The refusal that `key` signed for the chain `origin`. */
export async function readRefusal(signed: string, key: SigningKey, origin: string): Promise<Refusal> {
  const parsed = jws.parse(signed, "blockpost-refusal");
  await jws.verify(parsed, key);
  const refusal = refusalShape(readCanonical(parsed.payload, "refusal"), "refusal");
  if (refusal.chain !== origin) throw new Unverified(`refusal: want one of ${origin}, got another chain's`);
  return refusal;
}
