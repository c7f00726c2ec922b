/** A Merkle tree that makes proofs, straight from RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1. */

import { type Bytes, utf8 } from "../../src/proto/encoding";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../src/proto/merkle";

export function rootOf(leaves: readonly string[]): Bytes {
  const [only] = leaves;
  if (only === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(utf8(only));
  const [left, right] = halves(leaves);
  return nodeHash(rootOf(left), rootOf(right));
}

export function inclusion(index: number, leaves: readonly string[]): Bytes[] {
  if (leaves.length <= 1) return [];
  const [left, right] = halves(leaves);
  return index < left.length
    ? [...inclusion(index, left), rootOf(right)]
    : [...inclusion(index - left.length, right), rootOf(left)];
}

export function consistency(size: number, leaves: readonly string[], whole = true): Bytes[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)];
  const [left, right] = halves(leaves);
  return size <= left.length
    ? [...consistency(size, left, whole), rootOf(right)]
    : [...consistency(size - left.length, right, false), rootOf(left)];
}

function halves(leaves: readonly string[]): [readonly string[], readonly string[]] {
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return [leaves.slice(0, split), leaves.slice(split)];
}
