import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  ForPerson,
  forPerson,
  LOGIN_CHANGED,
  Problem,
  Unreachable,
  Untrusted,
  wordsOf,
  wordsOfEnding,
} from "../../src/engine/errors";
import { Malformed } from "../../src/proto/errors";

test("what wants more admins is said as the gateway says it", () => {
  expect(wordsOf("quorum", "it takes 2 admins")).toBe("It takes 2 admins.");
});

describe("why a session is over", () => {
  const desk = readFileSync(new URL("../../../rest/desk.py", import.meta.url), "utf8");

  test.each([
    ["account: it was ended by an administrator", "Your account was ended by an administrator."],
    [LOGIN_CHANGED, "Your password or recovery code was changed. Log in with the new one."],
    ["session: it has ended; log in again", "Your session has ended. Log in again."],
  ])("the gateway's %j is said in words", (detail, words) => {
    expect(desk).toContain(`"${detail}"`);
    expect(wordsOfEnding(detail)).toBe(words);
  });

  test("what else it may say is no riddle either", () => {
    expect(wordsOfEnding("token: want one")).toBe("Your session has ended. Log in again.");
  });
});

test.each([
  [new ForPerson("Type your name."), "Type your name."],
  [new Unreachable("503"), "The gateway cannot be reached now. Try again later."],
  [new Problem(403, "no invite was made", "invite"), "No invite was made."],
  [new Problem(401, "session: it has ended"), "Your session has ended. Log in again."],
  [new Problem(429, "wait 30 seconds"), "Wait 30 seconds."],
  [new Malformed("note: two lines"), "What the gateway answered cannot be trusted: note: two lines"],
  [
    new Untrusted("it is not of the history"),
    "What the gateway answered cannot be trusted: it is not of the history",
  ],
  [new TypeError("x is undefined"), "Something went wrong in this page. Load it again. (x is undefined)"],
])("a person is told of %s in words", (error, words) => {
  expect(forPerson(error)).toMatchObject({ name: "ForPerson", message: words });
});
