/**
 * The chain's signed statement of its own size and root.
 *
 * C2SP tlog-checkpoint v1 over C2SP signed-note, with one Ed25519 (0x01) signature whose key name is the origin.
 * Further signature lines (a witness's) are carried and ignored.
 */

import {
  type Bytes,
  b64url,
  base64,
  concat,
  equal,
  HASH_BYTES,
  hex,
  sha256,
  unb64url,
  unbase64,
  utf8,
} from "./encoding";
import type { Seen } from "./entry";
import { Malformed, Unverified } from "./errors";
import { type SigningKey, verifySignature } from "./identity";
import { SIGNATURE_BYTES } from "./jws";

/** `size` entries, with the Merkle root `root` (32 bytes), of the log named `origin`. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

/** What an author says it has seen. */
export function seenOf(checkpoint: Checkpoint): Seen {
  return { root: b64url(checkpoint.root), size: checkpoint.size };
}

const ED25519 = Uint8Array.of(1);
const KEY_ID_BYTES = 4;
const MARK = "\u2014 ";
/** What a signed note must not contain: control characters other than newline, and what is not Unicode. */
const FORBIDDEN = /[^\n -\u{10ffff}]|\p{Surrogate}/u;
const KEY_NAME = /^[^\p{White_Space}+]+$/u;
const SIZE = /^(0|[1-9][0-9]{0,15})$/;

/** The checkpoint that `key` signed for `origin`. */
export async function verifyCheckpoint(note: string, origin: string, key: SigningKey): Promise<Checkpoint> {
  if (FORBIDDEN.test(note))
    throw new Malformed("checkpoint: control characters, or text that is not Unicode");
  const end = note.lastIndexOf(`\n\n${MARK}`);
  if (end < 0) throw new Malformed("checkpoint: want a text, an empty line and signature lines");
  const text = note.slice(0, end + 1);
  const checkpoint = readText(text);
  if (checkpoint.origin !== origin) throw new Unverified(`checkpoint: want origin ${origin}, got another`);
  const signature = signatureIn(note.slice(end + 2), origin, keyId(origin, key));
  await verifySignature(key, signature, utf8(text));
  return checkpoint;
}

function readText(text: string): Checkpoint {
  const [origin, decimal, spelled, ...rest] = text.split("\n");
  if (!origin || decimal === undefined || spelled === undefined || rest.length !== 1) {
    throw new Malformed("checkpoint: want three lines: origin, size, root");
  }
  const size = Number(decimal);
  if (!SIZE.test(decimal) || !Number.isSafeInteger(size))
    throw new Malformed("checkpoint: want a decimal size");
  const root = unbase64(spelled, "checkpoint root");
  if (root.length !== HASH_BYTES) {
    throw new Malformed(`checkpoint root: want ${HASH_BYTES} bytes, got ${root.length}`);
  }
  return { origin, size, root };
}

/** The first signature by name and key id; every line has to be a signature's, whoever's it is. */
function signatureIn(block: string, name: string, wanted: Bytes): Bytes {
  if (!block.endsWith("\n")) throw new Malformed("checkpoint: the last line does not end");
  const signatures = block.slice(0, -1).split("\n").map(readSignature);
  const ours = signatures.find(
    (each) => each.name === name && equal(each.raw.subarray(0, KEY_ID_BYTES), wanted),
  );
  if (!ours) throw new Unverified(`checkpoint: not signed by the gateway's key for ${name}`);
  const signature = ours.raw.slice(KEY_ID_BYTES);
  if (signature.length !== SIGNATURE_BYTES)
    throw new Malformed("checkpoint: the signature has a wrong length");
  return signature;
}

function readSignature(line: string): { name: string; raw: Bytes } {
  const space = line.lastIndexOf(" ");
  const name = line.slice(MARK.length, space);
  if (!line.startsWith(MARK) || space < MARK.length || !KEY_NAME.test(name)) {
    throw new Malformed("checkpoint: want only signature lines after the empty line");
  }
  return { name, raw: unbase64(line.slice(space + 1), "checkpoint signature") };
}

/** The `vkey` text by which other tools of the C2SP family know the key. */
export function verifierKey(name: string, key: SigningKey): string {
  return `${name}+${hex(keyId(name, key))}+${base64(concat(ED25519, unb64url(key.x, "signing key")))}`;
}

/** The 4 bytes by which a note's signature names its key. */
function keyId(name: string, key: SigningKey): Bytes {
  return sha256(utf8(`${name}\n`), ED25519, unb64url(key.x, "signing key")).slice(0, KEY_ID_BYTES);
}
