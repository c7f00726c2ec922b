import { expect, test } from "vitest";
import {
  checkBody,
  makeBody,
  readCard,
  readGroupName,
  readInvitation,
  refOf,
  writeCard,
  writeGroupName,
  writeInvitation,
} from "../../src/proto/body";
import { b64url, unb64url } from "../../src/proto/encoding";
import { bodyRefShape, MAX_BODY_BYTES } from "../../src/proto/entry";
import { Malformed, ProtoError, Unverified } from "../../src/proto/errors";
import { vectors } from "./people";

interface BodyCase {
  kind: "body";
  name: string;
  content: string;
  times: number;
  salt: string;
  digest: string;
  size: number;
  refused?: true;
}

interface DocumentCase {
  kind: "card" | "group" | "invitation";
  name: string;
  content: string;
  says?: unknown;
  refused?: true;
}

const cases = vectors<(BodyCase | DocumentCase)[]>("bodies");
const bodies = cases.filter((each) => each.kind === "body");
const documents = cases.filter((each) => each.kind !== "body");

const readers = { card: readCard, group: readGroupName, invitation: readInvitation };

function check({ content, times, salt, digest, size }: BodyCase) {
  return checkBody(bodyRefShape({ digest, size }, "body"), salt, content.repeat(times));
}

test.each(bodies.filter((each) => !each.refused))("a body is the one that is bound: $name", (given) => {
  const body = check(given);

  expect(body).toEqual({ salt: unb64url(given.salt), content: given.content.repeat(given.times) });
  expect(refOf(body)).toEqual({ digest: given.digest, size: given.size });
});

test.each(bodies.filter((each) => each.refused))("another body is refused: $name", (given) => {
  expect(() => check(given)).toThrow(ProtoError);
});

test.each(documents.filter((each) => !each.refused))(
  "a document says what it says: $name",
  ({ kind, content, says }) => {
    expect(readers[kind](content)).toEqual(says);
  },
);

test.each(documents.filter((each) => each.refused))(
  "what is no document is malformed: $name",
  ({ kind, content }) => {
    expect(() => readers[kind](content)).toThrow(Malformed);
  },
);

test("what was written reads back, in the text that was read", () => {
  for (const { kind, content, refused } of documents) {
    if (refused) continue;
    if (kind === "card") expect(writeCard(readCard(content))).toBe(content);
    if (kind === "group") expect(writeGroupName(readGroupName(content))).toBe(content);
    if (kind === "invitation") expect(writeInvitation(readInvitation(content))).toBe(content);
  }
});

test("a card that nobody could read is not written", () => {
  expect(() => writeCard({ handle: "dr.lee", name: "" })).toThrow(
    "card.name: want text of 1 to 80 characters",
  );
  expect(() => writeCard({ handle: "dr.lee", name: "Dr Lee", backups: [] })).toThrow("card.backups");
});

test("a new body has a salt of its own", () => {
  const body = makeBody("Bed 4");

  expect(checkBody(refOf(body), b64url(body.salt), "Bed 4")).toEqual(body);
  expect(makeBody("Bed 4").salt).not.toEqual(body.salt);
  expect(() => checkBody(refOf(body), b64url(makeBody("").salt), "Bed 4")).toThrow(Unverified);
});

test("a body has at most 262,144 bytes", () => {
  const longest = "\u00e9".repeat(MAX_BODY_BYTES / 2);

  expect(refOf(makeBody(longest)).size).toBe(MAX_BODY_BYTES);
  expect(() => makeBody(`${longest}x`)).toThrow("body: at most 262144 bytes, got 262145");
  expect(() => makeBody("\ud800")).toThrow(Malformed);
});
