import { expect, test } from "vitest";
import { ForPerson, forPerson, Problem, Unreachable } from "../../src/engine/errors";
import type { Waiting } from "../../src/engine/store";
import { answeredIn, pendingOf, unsentOf } from "../../src/engine/unsent";
import { newStream, type Says, writeEntry } from "../../src/proto/entry";
import { Malformed } from "../../src/proto/errors";
import { signerOf } from "../../src/proto/keyfile";
import { ENTRY, person } from "../proto/people";

async function waiting(says: Says, refused: Waiting["refused"] = null): Promise<Waiting> {
  const alice = await person("alice");
  const draft = {
    ...{ says, origin: `ward/${alice.account}`, author: alice.account, stream: newStream(), seq: 1, at: 5 },
    ...{ clock: "free" as const, seen: { size: 0, root: "A".repeat(43) }, id: ENTRY },
  };
  const entry = await writeEntry(draft, alice.signing.kid, signerOf(alice));
  return { place: 1, id: ENTRY, parcel: { entry }, refused };
}

const LEE = "a".repeat(26);
const title = (party: string) => (party === LEE ? "Dr. Lee" : party);
const status = (state: "seen" | "taken"): Says => ({ type: "status", about: ENTRY, state });
const message: Says = {
  type: "message",
  to: LEE,
  commitment: "A".repeat(43),
  body: { digest: "A".repeat(43), size: 1 },
};

test("a message that waits is named by whom it is to", async () => {
  const list = [await waiting(message)];

  expect(unsentOf(list, title)).toEqual([
    { id: ENTRY, what: "message to Dr. Lee", conversation: LEE, state: "pending", reason: null },
  ]);
  expect(pendingOf(list)).toEqual([
    { id: ENTRY, conversation: LEE, at: 5, re: null, alert: null, refused: false },
  ]);
});

test("what was refused says why, in words", async () => {
  const list = [
    await waiting({ type: "contact", action: "request", peer: LEE }, { rule: "contact", reason: "r" }),
  ];

  expect(unsentOf(list, title)).toMatchObject([
    {
      what: "request to Dr. Lee to be a contact",
      state: "refused",
      reason: expect.stringContaining("not in contact"),
    },
  ]);
  expect(
    unsentOf([await waiting(message, { rule: "new-rule", reason: "its own words" })], title),
  ).toMatchObject([{ reason: "its own words" }]);
});

test("that something was seen is nobody's concern, unless it was refused", async () => {
  expect(unsentOf([await waiting(status("seen"))], title)).toEqual([]);
  expect(unsentOf([await waiting(status("seen"), { rule: "unknown", reason: "" })], title)).toHaveLength(1);
  expect(unsentOf([await waiting(status("taken"))], title)).toMatchObject([
    { what: "that you take an alert" },
  ]);
});

test("what we are about to say of a message makes it read, what was refused does not", async () => {
  expect(answeredIn([await waiting(status("seen")), await waiting(message)])).toEqual([ENTRY]);
  expect(answeredIn([await waiting(status("seen"), { rule: "unknown", reason: "" })])).toEqual([]);
});

test.each([
  [new ForPerson("as it is"), "as it is"],
  [new Unreachable("ECONNREFUSED"), "cannot be reached"],
  [new Problem(403, "d", "permission"), "not allowed"],
  [new Problem(401, "d"), "session has ended"],
  [new Problem(500, "disk full"), "disk full"],
  [new Problem(429, "too many tries: wait 2 minutes"), "Too many tries: wait 2 minutes."],
  [new Malformed("entry.at: want an integer"), "cannot be trusted"],
  ["thrown text", "thrown text"],
])("an error is told in words: %s", (error, words) => {
  expect(forPerson(error).message).toContain(words);
});
