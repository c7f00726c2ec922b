import { expect, test } from "vitest";
import {
  DRILL,
  EPISODE,
  FAULT,
  FILE,
  GAP,
  HEARTBEAT,
  MAX_FILE_BYTES,
  READING,
  readContent,
  TEXT,
  writeFile,
  writeText,
} from "../../src/proto/content";
import { Malformed } from "../../src/proto/errors";
import { FORWARD } from "../../src/proto/forward";
import { LIMITS, SETTINGS } from "../../src/proto/limits";
import { vectors } from "./people";

const SENT = 1_790_000_000_000;
const BYTES = Uint8Array.of(0, 1, 0xff);

function reread(said: { cty: string; content: string }) {
  return readContent(said.cty, said.content, SENT);
}

test.each(["hello", "", "{}", "\u{1f321}\ufe0f"])("a text is read as it was written: %j", (said) => {
  expect(reread(writeText(said))).toEqual({ kind: "text", text: said });
});

test("a reading with all its members", () => {
  const content =
    '{"channel":"pulse","quality":"good","sensor":"bed-4","t":1789999999000,"unit":"/min","value":71.5}';

  expect(readContent(READING, content, SENT)).toEqual({
    kind: "reading",
    sensor: "bed-4",
    channel: "pulse",
    value: 71.5,
    unit: "/min",
    at: 1_789_999_999_000,
  });
});

test("a reading without a time is of when it was sent", () => {
  expect(readContent(READING, '{"sensor":"door","value":0}', SENT)).toEqual({
    kind: "reading",
    sensor: "door",
    channel: null,
    value: 0,
    unit: "",
    at: SENT,
  });
});

test("a fault says what failed and why", () => {
  const content = '{"sensor":"fridge","reason":"silent","detail":"no line for 60 s"}';

  expect(readContent(FAULT, content, SENT)).toEqual({
    kind: "fault",
    sensor: "fridge",
    reason: "silent",
    detail: "no line for 60 s",
  });
});

test("an episode says what crossed which limit, since when, with its last readings", () => {
  const content =
    '{"limit":8,"readings":[{"t":1789999999000,"value":9.2}],"sensor":"fridge","since":1789999999000,' +
    '"unit":"Cel","value":9.2,"what":"high"}';

  expect(readContent(EPISODE, content, SENT)).toEqual({
    kind: "episode",
    sensor: "fridge",
    channel: null,
    what: "high",
    limit: 8,
    since: 1_789_999_999_000,
    until: null,
    value: 9.2,
    unit: "Cel",
    detail: "",
    readings: [{ at: 1_789_999_999_000, value: 9.2 }],
  });
});

test("a heartbeat says how many samples each sensor gave", () => {
  expect(readContent(HEARTBEAT, '{"from":1,"to":2,"sensors":{"door":0,"fridge":90}}', SENT)).toEqual({
    kind: "heartbeat",
    from: 1,
    to: 2,
    sensors: [
      { sensor: "door", samples: 0 },
      { sensor: "fridge", samples: 90 },
    ],
  });
});

test("a file is read as it was written", () => {
  const file = { name: "chart 4.png", type: "image/png", bytes: BYTES, text: "from bed 4" };

  const said = writeFile(file);

  expect(said).toEqual({
    cty: FILE,
    content: '{"data":"AAH_","name":"chart 4.png","text":"from bed 4","type":"image/png"}',
  });
  expect(reread(said)).toEqual({ kind: "file", ...file });
});

test("the largest file is sent and a larger one is not", () => {
  const file = { name: "a", type: "", text: "" };

  expect(reread(writeFile({ ...file, bytes: new Uint8Array(MAX_FILE_BYTES) }))).toMatchObject({
    kind: "file",
    bytes: { length: 40_960 },
  });
  expect(() => writeFile({ ...file, bytes: new Uint8Array(MAX_FILE_BYTES + 1) })).toThrow(
    new Malformed("file: want at most 40960 bytes, got 40961"),
  );
});

test.each([
  ["", "file"],
  ["../../etc/passwd", ".._.._etc_passwd"],
  ["a\\b\u0000c\nd", "a_b_c_d"],
  ["photo\u202egpj.exe", "photo_gpj.exe"],
  ["half \ud800", "half _"],
])("a file's name is made harmless when it is sent: %j", (name, harmless) => {
  expect(reread(writeFile({ name, type: "", bytes: BYTES, text: "" }))).toMatchObject({ name: harmless });
});

test("a name that is too long is cut between two characters", () => {
  const name = "\u{1f4c8}".repeat(300);

  expect(reread(writeFile({ name, type: "", bytes: BYTES, text: "" }))).toMatchObject({
    name: "\u{1f4c8}".repeat(128),
  });
});

test.each([
  ["Image/PNG", "image/png"],
  ["text/plain; charset=utf-8", "text/plain"],
])("a type is brought to its form: %j", (type, bare) => {
  expect(reread(writeFile({ name: "a", type, bytes: BYTES, text: "" }))).toMatchObject({ type: bare });
});

test.each(["", "image", "text/", "text plain/a", "\u00e9/a", `a/${"b".repeat(128)}`])(
  "a type that is none is left open: %j",
  (type) => {
    expect(reread(writeFile({ name: "a", type, bytes: BYTES, text: "" }))).toMatchObject({
      type: "application/octet-stream",
    });
  },
);

test("a type that nobody knows is shown as it is", () => {
  const [cty, content] = ["application/json", '{"text":"hello"}'];

  expect(readContent(cty, content, SENT)).toEqual({ kind: "other", cty, text: content });
});

const CASES = vectors<{ name: string; cty: string; content: string; valid: boolean }[]>("contents");
const KINDS: Record<string, string> = {
  [TEXT]: "text",
  [READING]: "reading",
  [EPISODE]: "episode",
  [GAP]: "gap",
  [HEARTBEAT]: "heartbeat",
  [FAULT]: "fault",
  [FILE]: "file",
  [LIMITS]: "limits",
  [SETTINGS]: "settings",
  [FORWARD]: "forward",
  [DRILL]: "drill",
};

test.each(CASES.filter(({ valid }) => valid))("is read: $name", ({ cty, content }) => {
  expect(readContent(cty, content, SENT).kind).toBe(KINDS[cty]);
});

test.each(CASES.filter(({ valid }) => !valid))("is shown as it is: $name", ({ cty, content }) => {
  expect(readContent(cty, content, SENT)).toEqual({ kind: "other", cty, text: content });
});
