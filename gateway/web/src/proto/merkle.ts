/** The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): hashes, and the verification of proofs. */

import { type Bytes, equal, sha256 } from "./encoding";
import { Unverified } from "./errors";

export const EMPTY_ROOT: Bytes = sha256();

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(leaf: Uint8Array): Bytes {
  return sha256(LEAF, leaf);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE, left, right);
}

/**
 * The way from a leaf (or from the last subtree of an older tree) to the root: `index` is its number, `last` that of
 * its level's last node. Numbers reach 2^53, where the operators on bits end.
 */
class Climb {
  constructor(
    private index: number,
    private last: number,
    private readonly what: string,
  ) {}

  /** Whether the next sibling stands on the left; the way then leads over all levels that have none. */
  step(): boolean {
    if (this.last === 0) throw new Unverified(`${this.what}: too long`);
    const isLeft = this.index % 2 === 1 || this.index === this.last;
    if (isLeft) while (this.index % 2 === 0 && this.index > 0) this.up();
    this.up();
    return isLeft;
  }

  up(): void {
    this.index = Math.floor(this.index / 2);
    this.last = Math.floor(this.last / 2);
  }

  end(): void {
    if (this.last !== 0) throw new Unverified(`${this.what}: too short`);
  }
}

/** RFC 9162 section 2.1.3.2: the root under which the leaf with this hash is at `index`, by the path. */
export function rootFromInclusion(index: number, size: number, leaf: Bytes, path: readonly Bytes[]): Bytes {
  if (index < 0 || index >= size) {
    throw new Unverified(`inclusion proof: want an index below ${size}, got ${index}`);
  }
  const climb = new Climb(index, size - 1, "inclusion proof");
  let value = leaf;
  for (const sibling of path) value = climb.step() ? nodeHash(sibling, value) : nodeHash(value, sibling);
  climb.end();
  return value;
}

/** RFC 9162 section 2.1.4.2: raises `Unverified` unless the old tree is a prefix of the new one. */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  path: readonly Bytes[],
  oldRoot: Bytes,
  newRoot: Bytes,
): void {
  if (oldSize < 0 || oldSize > newSize) {
    throw new Unverified(`consistency proof: the tree shrank from ${oldSize} to ${newSize}`);
  }
  if (oldSize === 0 || oldSize === newSize) {
    const isSame = oldSize < newSize || equal(oldRoot, newRoot);
    const isEmpty = oldSize > 0 || equal(oldRoot, EMPTY_ROOT);
    if (path.length > 0 || !isSame || !isEmpty) {
      throw new Unverified("consistency proof: two roots for one size, or a proof where none is due");
    }
    return;
  }
  const climb = new Climb(oldSize - 1, newSize - 1, "consistency proof");
  // Up to the largest complete subtree at the old tree's end.
  let rest = oldSize;
  for (; rest % 2 === 0; rest /= 2) climb.up();
  const [first, ...siblings] = rest === 1 ? [oldRoot, ...path] : path;
  if (!first) throw new Unverified("consistency proof: too short");
  let oldValue = first;
  let newValue = first;
  for (const sibling of siblings) {
    if (climb.step()) {
      oldValue = nodeHash(sibling, oldValue);
      newValue = nodeHash(sibling, newValue);
    } else {
      newValue = nodeHash(newValue, sibling);
    }
  }
  climb.end();
  if (!equal(oldValue, oldRoot) || !equal(newValue, newRoot)) {
    throw new Unverified("consistency proof: the new tree does not continue the old one");
  }
}
