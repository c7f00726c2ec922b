import { expect, test } from "vitest";
import { type Bytes, equal, hex, unb64url, utf8 } from "../../src/proto/encoding";
import { Unverified } from "../../src/proto/errors";
import { EMPTY_ROOT, leafHash, nodeHash, rootFromInclusion, verifyConsistency } from "../../src/proto/merkle";
import { Dice } from "./dice";
import { vectors } from "./people";

interface InclusionCase {
  kind: "inclusion";
  name: string;
  leaf: string;
  index: number;
  size: number;
  path: string[];
  root: string;
  refused?: true;
}

interface ConsistencyCase {
  kind: "consistency";
  name: string;
  old_size: number;
  new_size: number;
  old_root: string;
  new_root: string;
  path: string[];
  refused?: true;
}

const cases = vectors<(InclusionCase | ConsistencyCase | { kind: "checkpoint" | "receipt" })[]>("proofs");
const inclusions = cases.filter((each) => each.kind === "inclusion");
const consistencies = cases.filter((each) => each.kind === "consistency");

function checkInclusion(given: InclusionCase): void {
  const root = rootFromInclusion(
    given.index,
    given.size,
    leafHash(utf8(given.leaf)),
    given.path.map((each) => unb64url(each)),
  );
  if (!equal(root, unb64url(given.root))) throw new Unverified("another root");
}

function checkConsistency(given: ConsistencyCase): void {
  const path = given.path.map((each) => unb64url(each));
  verifyConsistency(given.old_size, given.new_size, path, unb64url(given.old_root), unb64url(given.new_root));
}

test.each(inclusions.filter((each) => !each.refused))("a leaf is in its tree: $name", (given) => {
  expect(() => checkInclusion(given)).not.toThrow();
});

test.each(inclusions.filter((each) => each.refused))("an altered proof is refused: $name", (given) => {
  expect(() => checkInclusion(given)).toThrow(Unverified);
});

test.each(consistencies.filter((each) => !each.refused))("a tree continues an older one: $name", (given) => {
  expect(() => checkConsistency(given)).not.toThrow();
});

test.each(consistencies.filter((each) => each.refused))("an altered proof is refused: $name", (given) => {
  expect(() => checkConsistency(given)).toThrow(Unverified);
});

// Certificate Transparency's own reference tree.
test("the published root of eight leaves is what their hashes make", () => {
  const texts = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ];
  const leaves = texts.map((text) => leafHash(Buffer.from(text, "hex")));

  expect(hex(root(leaves))).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  expect(hex(EMPTY_ROOT)).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

/** RFC 6962 section 2.1, as it is written there. */
function root(leaves: Bytes[]): Bytes {
  const [only] = leaves;
  if (!only) return EMPTY_ROOT;
  if (leaves.length === 1) return only;
  const cut = cutOf(leaves.length);
  return nodeHash(root(leaves.slice(0, cut)), root(leaves.slice(cut)));
}

/** RFC 6962 section 2.1.1. */
function pathOf(index: number, leaves: Bytes[]): Bytes[] {
  if (leaves.length <= 1) return [];
  const cut = cutOf(leaves.length);
  const [left, right] = [leaves.slice(0, cut), leaves.slice(cut)];
  return index < cut ? [...pathOf(index, left), root(right)] : [...pathOf(index - cut, right), root(left)];
}

/** RFC 6962 section 2.1.2. */
function proofOf(old: number, leaves: Bytes[], isWhole = true): Bytes[] {
  if (old === leaves.length) return isWhole ? [] : [root(leaves)];
  const cut = cutOf(leaves.length);
  const [left, right] = [leaves.slice(0, cut), leaves.slice(cut)];
  return old <= cut
    ? [...proofOf(old, left, isWhole), root(right)]
    : [...proofOf(old - cut, right, false), root(left)];
}

function cutOf(size: number): number {
  let cut = 1;
  while (cut * 2 < size) cut *= 2;
  return cut;
}

const LEAVES = Array.from({ length: 70 }, (_, i) => leafHash(utf8(`leaf ${i}`)));

test("every leaf of every tree is proven by the RFC's own path, at its place alone", () => {
  for (let size = 1; size <= LEAVES.length; size += size < 20 ? 1 : 7) {
    const leaves = LEAVES.slice(0, size);
    const top = root(leaves);
    leaves.forEach((leaf, index) => {
      const path = pathOf(index, leaves);
      expect(rootFromInclusion(index, size, leaf, path)).toEqual(top);
      for (const other of [index - 1, index + 1]) {
        expect(holds(() => rootFromInclusion(other, size, leaf, path), top)).toBe(false);
      }
    });
  }
});

function holds(attempt: () => Bytes, wanted: Bytes): boolean {
  try {
    return equal(attempt(), wanted);
  } catch (error) {
    if (error instanceof Unverified) return false;
    throw error;
  }
}

test("every tree continues every older one by the RFC's own proof, and none other", () => {
  for (let size = 1; size <= 40; size++) {
    const leaves = LEAVES.slice(0, size);
    const top = root(leaves);
    for (let old = 1; old < size; old++) {
      const older = root(LEAVES.slice(0, old));
      const proof = proofOf(old, leaves);
      expect(() => verifyConsistency(old, size, proof, older, top)).not.toThrow();
      expect(() => verifyConsistency(old, size, proof, top, top)).toThrow(Unverified);
      expect(() => verifyConsistency(old, size, proof, older, older)).toThrow(Unverified);
      expect(() => verifyConsistency(old, size, [...proof, top], older, top)).toThrow(Unverified);
      expect(() => verifyConsistency(old, size, proof.slice(0, -1), older, top)).toThrow(Unverified);
    }
  }
});

test("sizes beyond 32 bits are numbers like others", () => {
  const dice = new Dice("large trees");
  const leaf = dice.bytes(32);
  const path = Array.from({ length: 53 }, () => dice.bytes(32));
  const bottom = path.reduce((value, sibling) => nodeHash(value, sibling), leaf);
  const top = path.reduce((value, sibling) => nodeHash(sibling, value), leaf);

  // The first and the last leaf of a full tree of 2^53 leaves, which is one more than a size may be.
  expect(rootFromInclusion(0, 2 ** 53, leaf, path)).toEqual(bottom);
  expect(rootFromInclusion(2 ** 53 - 1, 2 ** 53, leaf, path)).toEqual(top);
  expect(() => rootFromInclusion(2 ** 32, 2 ** 53, leaf, path.slice(1))).toThrow("too short");
});
