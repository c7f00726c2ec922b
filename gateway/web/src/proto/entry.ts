/**
 * Entries: the signed statements that the chain is made of.
 *
 * An entry is a compact JWS whose payload is canonical JSON; its exact text is the Merkle leaf, and nothing is ever
 * re-serialised. What an entry *may* do is the gateway's to decide, and not decided here.
 */

import { b64url, canonical, hex, readCanonical } from "./encoding";
import { Malformed } from "./errors";
import {
  accountIdShape,
  groupIdShape,
  partyIdShape,
  readSealingKey,
  readSigningKey,
  type SigningKey,
  thumbprintShape,
} from "./identity";
import * as jws from "./jws";
import { fresh, type Random } from "./random";
import { integer, list, literal, mapped, type Of, optional, strict, tagged, text } from "./shape";
import { contractIdShape, MAX_STEPS, termsShape } from "./terms";

/** tlog-tiles gives an entry a 16-bit length. */
export const MAX_LEAF_BYTES = 65_535;
/** A sealed message has at most this many addressee keys. */
export const MAX_MEMBERS = 64;
export const MAX_BODY_BYTES = 262_144;

/** A tick says no more at once; what is left, the next one says. */
export const MAX_DEEDS = 128;

const TYP = "blockpost-entry";

// The parts

/** A UUIDv7 (RFC 9562) in lower case. */
export const entryIdShape = text({
  pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
});
export const originShape = text({ pattern: /^[a-z0-9][a-z0-9.-]*\/[a-z0-9]{1,64}$/, max: 200 });
/** 32 bytes in base64url. */
export const hashShape = thumbprintShape;
export const streamShape = text({ pattern: /^[A-Za-z0-9_-]{22}$/ });
export const codeShape = text({ pattern: /^[a-z2-7]{16}$/ });
export const kindShape = literal("person", "device", "service");
export const roleShape = literal("admin", "member", "gateway");

/** The last checkpoint its author verified: evidence against a gateway that forks. */
export const seenShape = strict({ root: hashShape, size: integer() });
export type Seen = Of<typeof seenShape>;

/** `digest` is HMAC-SHA256(salt, body); `size` the body's length in bytes. */
export const bodyRefShape = strict({ digest: hashShape, size: integer(0, MAX_BODY_BYTES) });
export type BodyRef = Of<typeof bodyRefShape>;

/** The clear header of an alert: all that the gateway ever learns of it. */
export const alertShape = strict({
  episode: streamShape,
  kind: literal("physiological", "technical"),
  priority: literal("high", "medium", "low", "info"),
  state: literal("start", "continue", "end"),
});
export type Alert = Of<typeof alertShape>;

/**
 * What every entry says. `stream` is random, one per installation and outbox lane; `seq` rises strictly in it.
 * `at`: the author's clock in ms since 1970, and in `clock` whether that clock was synchronised.
 */
const common = {
  v: literal(1),
  chain: originShape,
  id: entryIdShape,
  author: accountIdShape,
  stream: streamShape,
  seq: integer(1),
  at: integer(),
  clock: literal("synced", "free"),
  seen: seenShape,
};
const commonShape = strict(common);
export type Common = Of<typeof commonShape>;

// The types

/** An admin lets one new account in. The body (`Invitation`) names its handle. */
const invite = strict({
  ...common,
  type: literal("invite"),
  code_hash: hashShape,
  kind: kindShape,
  role: roleShape,
  expires: integer(),
  body: bodyRefShape,
});
export type Invite = Of<typeof invite>;

/** A new account speaks for the first time. `code` is what the invite's hash commits to. */
const account = strict({
  ...common,
  type: literal("account"),
  kind: kindShape,
  role: roleShape,
  sign: readSigningKey,
  seal: optional(readSealingKey),
  invite: optional(entryIdShape),
  code: optional(codeShape),
});
export type Account = Of<typeof account>;

/** Handle, display name, login and key backups, all in the body (`Card`). */
const profile = strict({ ...common, type: literal("profile"), body: bodyRefShape });
export type Profile = Of<typeof profile>;

/** New keys for `account`: by its old key (a rotation) or by an admin (a reset). */
const key = strict({
  ...common,
  type: literal("key"),
  account: accountIdShape,
  sign: readSigningKey,
  seal: readSealingKey,
});
export type Key = Of<typeof key>;

/** An account ends; or, with `key`, one of its signing keys. */
const revoke = strict({
  ...common,
  type: literal("revoke"),
  account: accountIdShape,
  reason: literal("left", "lost", "compromised", "retired"),
  key: optional(thumbprintShape),
});
export type Revoke = Of<typeof revoke>;

/** The friend list. `of` is the account an admin links or unlinks; else it is the author's own list. */
const contact = strict({
  ...common,
  type: literal("contact"),
  action: literal("request", "accept", "remove", "link", "unlink"),
  peer: partyIdShape,
  of: optional(accountIdShape),
});
export type Contact = Of<typeof contact>;

/** A named set of accounts, sorted; no members ends it. The body (`GroupName`) names it. */
const group = strict({
  ...common,
  type: literal("group"),
  group: groupIdShape,
  members: mapped(list(accountIdShape, 0, MAX_MEMBERS), (members, what) => {
    const isRising = members.every((member, i) => i === 0 || (members[i - 1] ?? "") < member);
    if (!isRising) throw new Malformed(`${what}: want them sorted and without repeats`);
    return members;
  }),
  body: optional(bodyRefShape),
});
export type Group = Of<typeof group>;

/** A sealed message: the body is a JWE, and `commitment` binds what it says. */
const message = strict({
  ...common,
  type: literal("message"),
  to: partyIdShape,
  commitment: hashShape,
  body: bodyRefShape,
  re: optional(entryIdShape),
  alert: optional(alertShape),
});
export type Message = Of<typeof message>;

/**
 * A recipient says what became of a message. `until` (ms since 1970) and `reason` go with `snoozed`: silence always
 * ends, and says why.
 */
const status = strict({
  ...common,
  type: literal("status"),
  about: entryIdShape,
  state: literal("seen", "taken", "released", "resolved", "snoozed"),
  until: optional(integer()),
  reason: optional(literal("care", "transport", "repair", "known", "test", "other")),
});
export type Status = Of<typeof status>;

/** The body of `about` is erased everywhere. */
const redact = strict({
  ...common,
  type: literal("redact"),
  about: entryIdShape,
  reason: literal("mistake", "privacy", "retention", "legal"),
});
export type Redact = Of<typeof redact>;

/** Install a smart contract, or another version of one; without `terms`, remove it. */
const contract = strict({
  ...common,
  type: literal("contract"),
  action: literal("install", "remove"),
  contract: contractIdShape,
  terms: optional(termsShape),
});
export type Contract = Of<typeof contract>;

/** An admin agrees to what another may then do. */
const approve = strict({ ...common, type: literal("approve"), deed: hashShape });
export type Approve = Of<typeof approve>;

/**
 * Who of `party` is on duty from `begins` to `ends` (ms since 1970), and `instead` of whom. Without `account`, `instead`
 * is off, and nobody in their place.
 */
const shift = strict({
  ...common,
  type: literal("shift"),
  party: groupIdShape,
  begins: integer(),
  ends: integer(),
  account: optional(accountIdShape),
  instead: optional(accountIdShape),
});
export type Shift = Of<typeof shift>;

/**
 * What a contract did because time passed. `about` is the first message of an alert, or the message whose body was
 * `erased`. With `step` go which one it was, from 0, and in `to` whom it names.
 */
const deedShape = strict({
  contract: contractIdShape,
  did: literal("step", "nobody", "overdue", "woken", "erased"),
  about: entryIdShape,
  step: optional(integer(0, MAX_STEPS - 1)),
  to: optional(partyIdShape),
});
export type Deed = Of<typeof deedShape>;

/** Time passed, and what contracts did because of it; `now` is the time of its block. */
const tick = strict({
  ...common,
  type: literal("tick"),
  now: integer(),
  did: list(deedShape, 1, MAX_DEEDS),
});
export type Tick = Of<typeof tick>;

const readEntry = tagged("type", {
  invite,
  account,
  profile,
  key,
  revoke,
  contact,
  group,
  message,
  status,
  redact,
  contract,
  approve,
  shift,
  tick,
});

export type Entry = Of<typeof readEntry>;

/** What an entry says beyond what every entry says. */
export type Says = Without<Entry, keyof Common>;
type Without<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never;

// Reading

/** An entry as it came: `leaf` is what is hashed, stored and served. Whether it is verified is up to the reader. */
export interface SignedEntry {
  leaf: string;
  /** The key that is said to have signed it. */
  kid: string;
  entry: Entry;
  /** Raises `Unverified` unless `key` signed this text. */
  verify(key: SigningKey): Promise<void>;
}

/** Reads a leaf. Neither signature nor permission is checked here. */
export function parseEntry(leaf: string): SignedEntry {
  // What is not ASCII is refused below, so its length is its bytes.
  if (leaf.length > MAX_LEAF_BYTES) {
    throw new Malformed(`entry: at most ${MAX_LEAF_BYTES} bytes, got ${leaf.length}`);
  }
  const signed = jws.parse(leaf, TYP);
  const entry = readEntry(readCanonical(signed.payload, "entry"), "entry");
  return { leaf, kid: signed.kid, entry, verify: (by) => jws.verify(signed, by) };
}

/** The body that an entry binds, if it binds one. */
export function bodyOf(entry: Entry): BodyRef | undefined {
  return "body" in entry ? entry.body : undefined;
}

// Writing

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of `now` (ms), 74 random bits. */
export function newEntryId(now: number, random: Random = fresh): string {
  const time = Math.trunc(now).toString(16).padStart(12, "0").slice(-12);
  const noise = BigInt(`0x${hex(random(10))}`);
  const high = (noise >> 68n).toString(16).padStart(3, "0");
  const low = ((0b10n << 62n) | (noise & ((1n << 62n) - 1n))).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${low.slice(0, 4)}-${low.slice(4)}`;
}

/** 128 random bits in base64url: an outbox lane or an alert's episode. */
export function newStream(random: Random = fresh): string {
  return b64url(random(16));
}

/** An entry to be written: what it says, and where it stands. */
export interface Draft {
  says: Says;
  origin: string;
  author: string;
  stream: string;
  seq: number;
  at: number;
  clock: Common["clock"];
  seen: Seen;
  id: string;
}

/** Signs an entry with the key that `kid` names, and returns the leaf; `Malformed` if it is no entry. */
export async function writeEntry(draft: Draft, kid: string, signer: jws.Signer): Promise<string> {
  const { says, origin, author, stream, seq, at, clock, seen, id } = draft;
  const payload = canonical({ ...says, v: 1, chain: origin, author, stream, seq, at, clock, seen, id });
  const leaf = await jws.sign(TYP, kid, payload, signer);
  // What this page cannot read, nobody can; and it would wait in an outbox until somebody said so.
  return parseEntry(leaf).leaf;
}
