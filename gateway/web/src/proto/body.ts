/**
 * Bodies: what travels beside an entry, is bound to it by a salted digest, and can be erased.
 *
 * A message's body is sealed and opaque here; the others are small clear documents.
 */

import {
  type Bytes,
  b64url,
  canonical,
  HASH_BYTES,
  hmac256,
  readCanonical,
  unb64urlHash,
  utf8,
} from "./encoding";
import { type BodyRef, hashShape, MAX_BODY_BYTES } from "./entry";
import { Malformed, Unverified } from "./errors";
import { fresh, type Random } from "./random";
import { list, literal, type Of, optional, type Shape, strict, text } from "./shape";

/** A body and the 32-byte salt that binds it: erase both, and the digest tells nothing. */
export interface Body {
  salt: Bytes;
  content: string;
}

/** Salts a body; `Malformed` if it is too long. */
export function makeBody(content: string, random: Random = fresh): Body {
  const size = utf8(content).length;
  if (size > MAX_BODY_BYTES) throw new Malformed(`body: at most ${MAX_BODY_BYTES} bytes, got ${size}`);
  return { salt: random(HASH_BYTES), content };
}

/** What the entry says of it. */
export function refOf(body: Body): BodyRef {
  const data = utf8(body.content);
  return { digest: b64url(hmac256(body.salt, data)), size: data.length };
}

/** A body as it came; `Malformed`, or `Unverified` if it is not the one that `ref` binds. */
export function checkBody(ref: BodyRef, salt: string, content: string): Body {
  const raw = unb64urlHash(salt, "body salt");
  if (raw.every((byte) => byte === 0)) {
    throw new Malformed("body salt: nothing but zeros stands for an erased body");
  }
  const body = { salt: raw, content };
  const found = refOf(body);
  if (found.digest !== ref.digest || found.size !== ref.size) {
    throw new Unverified("body: its digest or size is not the entry's");
  }
  return body;
}

// The clear documents

/** The name people type: `dr.lee`, `fridge-2`. Unique among live accounts. */
export const handleShape = text({ pattern: /^[a-z0-9][a-z0-9._-]{0,31}$/ });
export const nameShape = text({ min: 1, max: 80 });

/**
 * `verifier` is SHA-256 of what a password derives to under `salt`; it can check and not impersonate. `recovery` is
 * the same of the recovery code.
 */
const loginShape = strict({
  recovery: optional(hashShape),
  salt: text({ pattern: /^[A-Za-z0-9_-]{22}$/ }),
  verifier: hashShape,
});
export type Login = Of<typeof loginShape>;

/** The body of a `profile`. `backups` are private keys wrapped for their owner alone (compact JWE). */
const cardShape = strict({
  handle: handleShape,
  name: nameShape,
  login: optional(loginShape),
  // An empty list is left out, or one card would have two texts.
  backups: optional(list(text({ max: 16_384 }), 1, 4)),
});
export type Card = Of<typeof cardShape>;

/**
 * The body of an `invite`: the handle that the new account will have. With `match`, the gateway lets it in once an
 * admin has compared six digits with the newcomer; left out rather than false, or one invitation would have two texts.
 */
const invitationShape = strict({ handle: handleShape, match: optional(literal(true)) });
export type Invitation = Of<typeof invitationShape>;

/** The body of a `group`. */
const groupNameShape = strict({ name: nameShape });
export type GroupName = Of<typeof groupNameShape>;

export const readCard = reader(cardShape, "card");
export const readInvitation = reader(invitationShape, "invitation");
export const readGroupName = reader(groupNameShape, "group name");

export const writeCard = writer(cardShape, "card");
export const writeInvitation = writer(invitationShape, "invitation");
export const writeGroupName = writer(groupNameShape, "group name");

function reader<T>(shape: Shape<T>, what: string): (content: string) => T {
  return (content) => shape(readCanonical(content, what), what);
}

function writer<T>(shape: Shape<T>, what: string): (value: T) => string {
  return (value) => canonical(shape(value, what));
}
