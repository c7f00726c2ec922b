import { expect, test } from "vitest";
import type { Proof } from "../../src/model";
import { proofText } from "../../src/ui/home/proof-text";

const proof: Proof = {
  id: "0197-id",
  index: 4711,
  leafHash: "aa11",
  treeSize: 12_044,
  rootHash: "bb22",
  pathLength: 14,
  block: { height: 902, hash: "cc33", timestamp: Date.UTC(2026, 10, 22, 14, 5, 9) },
  origin: "ward-3.example/blockpost/7h2k",
  signer: { account: "fridgeaccount", title: "fridge-2", kid: "kid-2", current: true },
  keys: [
    { kid: "kid-1", index: 12, by: "join", at: 1 },
    { kid: "kid-2", index: 3022, by: "reset", at: null },
  ],
  commitment: "dd44",
  checkpoint: "ward-3.example/blockpost/7h2k\n12044\nuyI=\n\n— ward-3.example/blockpost/7h2k AAAA\n",
  entry: "eyJ.entry.sig",
  receipt: "c2sp.org/tlog-proof@v1\nindex 4711\n\nthe checkpoint\n",
  verifierKey: "ward-3.example/blockpost/7h2k+00112233+AQ==",
  checks: ["the gateway signed that root"],
};

test("the text has receipt and entry to the byte, and how to check them", () => {
  const text = proofText(proof);

  expect(text).toContain(`\n${proof.receipt}`);
  expect(text).toContain(`\n${proof.entry}\n`);
  expect(text).toContain(
    "blockpost chain check 4711.tlog-proof 4711.entry --key ward-3.example/blockpost/7h2k+00112233+AQ==",
  );
});

test("the text has what finds the entry, and what it is compared with", () => {
  const text = proofText(proof);

  for (const fact of ["4711", "0197-id", "aa11", "12044", "bb22", "cc33", "kid-2", "dd44", "fridgeaccount"]) {
    expect(text).toContain(fact);
  }
  expect(text).toContain("2026-11-22T14:05:09.000Z");
});

test("every key of the signer is in it, with how it came", () => {
  expect(proofText(proof)).toContain("entry 12  kid-1  join");
  expect(proofText(proof)).toContain("entry 3022  kid-2  reset");
});

test("an entry without a block or a commitment has no lines for them", () => {
  const text = proofText({ ...proof, block: null, commitment: null });

  expect(text).not.toMatch(/^(block:|block hash|block time|commitment)/m);
});
