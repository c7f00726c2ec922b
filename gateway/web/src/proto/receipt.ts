/**
 * A receipt: the proof that an entry is on the chain (C2SP tlog-proof v1).
 *
 * Index, inclusion path and signed checkpoint, as text. No block link is ever part of it.
 */

import { type Checkpoint, verifyCheckpoint } from "./checkpoint";
import { type Bytes, equal, HASH_BYTES, unbase64, utf8 } from "./encoding";
import { Malformed, Unverified } from "./errors";
import type { SigningKey } from "./identity";
import { leafHash, rootFromInclusion } from "./merkle";

const MAGIC = "c2sp.org/tlog-proof@v1";
const MAX_PATH = 63;
const MAX_RECEIPT_CHARS = 16_384;
const INDEX = /^index (0|[1-9][0-9]{0,15})$/;

/** `path` goes from the leaf's sibling to the root's child; `note` is the signed checkpoint. */
export interface Receipt {
  index: number;
  path: Bytes[];
  note: string;
}

/** Reads the text. An `extra` line is not ours, and is refused. */
export function parseReceipt(text: string): Receipt {
  if (text.length > MAX_RECEIPT_CHARS) {
    throw new Malformed(`receipt: at most ${MAX_RECEIPT_CHARS} characters, got ${text.length}`);
  }
  const end = text.indexOf("\n\n");
  const [magic, line = "", ...hashes] = text.slice(0, Math.max(end, 0)).split("\n");
  if (magic !== MAGIC) {
    throw new Malformed(`receipt: want ${MAGIC}, an index line, hashes, an empty line, a checkpoint`);
  }
  const index = Number(INDEX.exec(line)?.[1]);
  if (!Number.isSafeInteger(index) || hashes.length > MAX_PATH) {
    throw new Malformed("receipt: index or path out of range");
  }
  return { index, path: hashes.map(readHash), note: text.slice(end + 2) };
}

function readHash(line: string): Bytes {
  const hash = unbase64(line, "receipt path");
  if (hash.length !== HASH_BYTES) {
    throw new Malformed(`receipt path: want hashes of ${HASH_BYTES} bytes, got ${hash.length}`);
  }
  return hash;
}

/**
 * The checkpoint under which `leaf` (an entry's exact text) is committed.
 *
 * Whether it continues the last one that the caller saw is the caller's to check: only it knows that one. All
 * receipts of a block carry the same checkpoint; `verified` remembers those of this origin and key by their note.
 */
export async function verifyReceipt(
  receipt: Receipt,
  leaf: string,
  origin: string,
  key: SigningKey,
  verified?: Map<string, Checkpoint>,
): Promise<Checkpoint> {
  const head = verified?.get(receipt.note) ?? (await verifyCheckpoint(receipt.note, origin, key));
  verified?.set(receipt.note, head);
  const root = rootFromInclusion(receipt.index, head.size, leafHash(utf8(leaf)), receipt.path);
  if (!equal(root, head.root)) throw new Unverified("inclusion proof: does not lead to the root");
  return head;
}
