/** What a message says, by its content type (docs/protocol.md section 5). */

import type { Opened } from "../model";
import { b64url, canonical, readCanonical, readJson, unb64url } from "./encoding";
import { Malformed } from "./errors";
import { checkForward, FORWARD } from "./forward";
import { LIMITS, readLimits, readSettings, SETTINGS } from "./limits";
import { integer, list, literal, mapped, number, optional, record, strict, text } from "./shape";

export const TEXT = "text/plain";
export const READING = "application/vnd.blockpost.reading+json";
export const EPISODE = "application/vnd.blockpost.episode+json";
export const GAP = "application/vnd.blockpost.gap+json";
export const HEARTBEAT = "application/vnd.blockpost.heartbeat+json";
export const FAULT = "application/vnd.blockpost.fault+json";
export const DRILL = "application/vnd.blockpost.drill+json";
export const FILE = "application/vnd.blockpost.file+json";

/** Sealed, a file takes almost twice its size, and it is on the chain's disk for good. */
export const MAX_FILE_BYTES = 40_960;

const UNKNOWN_TYPE = "application/octet-stream";
/** RFC 6838, in lower case and without parameters. */
const MIME_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;
const MAX_NAME = 128;

/**
 * Separators, control characters, half a surrogate pair, and what turns the direction of writing, by which
 * `gpj.exe` is made to look like `exe.jpg`.
 */
const MISLEADING = /[/\\\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The content of a message, and what kind of string it is. */
export interface Said {
  cty: string;
  content: string;
}

/** A file that goes with some words, which may be none. */
export interface Attachment {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  text: string;
}

const finite = number();
/** As in `device/reading.py`. */
const readingShape = strict({
  sensor: text({ min: 1, max: 32 }),
  value: finite,
  channel: optional(text({ max: 128 })),
  unit: optional(text({ min: 1, max: 32 })),
  // A time in seconds, the usual mistake, is outside.
  t: optional(integer(100_000_000_000, 253_402_300_799_999)),
  quality: optional(literal("good")),
});

/** As in `device/content.py`. */
const episodeShape = strict({
  sensor: text({ min: 1, max: 32 }),
  what: text({ min: 1, max: 32 }),
  since: integer(),
  channel: optional(text({ max: 128 })),
  limit: optional(finite),
  until: optional(integer()),
  value: optional(finite),
  unit: optional(text({ min: 1, max: 32 })),
  code: optional(text({ min: 1, max: 32 })),
  detail: optional(text({ max: 1024 })),
  readings: optional(list(strict({ t: integer(), value: finite }), 0, 20)),
});

const gapShape = strict({
  sensor: text({ min: 1, max: 32 }),
  from: integer(),
  to: integer(),
  lost: integer(1),
  reason: text({ min: 1, max: 32 }),
});

const heartbeatShape = strict({
  from: integer(),
  to: integer(),
  sensors: record(text({ min: 1, max: 32 }), integer()),
});

const faultShape = strict({ sensor: text({ min: 1 }), reason: text({ min: 1 }), detail: text() });

const drillShape = strict({ text: text({ min: 1, max: 1024 }) });

const fileShape = strict({
  data: mapped(text(), (data, what) => {
    const bytes = unb64url(data, what);
    checkSize(bytes.length, what);
    return bytes;
  }),
  name: mapped(text({ min: 1, max: MAX_NAME }), (name, what) => {
    if (name.search(MISLEADING) >= 0) throw new Malformed(`${what}: want a plain file name`);
    return name;
  }),
  text: text(),
  type: text({ pattern: MIME_TYPE }),
});

/**
 * What a message says. Content that is not of the form that its type asks for is shown as it is, like that of an
 * unknown type: somebody meant something by it. `at` is when it was sent, for a reading that has no time.
 */
export function readContent(cty: string, content: string, at: number): Opened {
  if (cty === TEXT) return { kind: "text", text: content };
  try {
    return readDocument(cty, content, at);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { kind: "other", cty, text: content };
  }
}

function readDocument(cty: string, content: string, at: number): Opened {
  switch (cty) {
    case READING: {
      const { sensor, channel, value, unit, t } = readingShape(readJson(content, "reading"), "reading");
      return { kind: "reading", sensor, channel: channel || null, value, unit: unit ?? "", at: t ?? at };
    }
    case EPISODE:
      return readEpisode(content);
    case GAP:
      return { kind: "gap", ...gapShape(readJson(content, "gap"), "gap") };
    case HEARTBEAT: {
      const { sensors, ...period } = heartbeatShape(readJson(content, "heartbeat"), "heartbeat");
      return {
        kind: "heartbeat",
        ...period,
        sensors: sensors.map(([sensor, samples]) => ({ sensor, samples })),
      };
    }
    case FAULT:
      return { kind: "fault", ...faultShape(readJson(content, "fault"), "fault") };
    case LIMITS:
      return readLimits(content);
    case SETTINGS:
      return readSettings(content);
    case FORWARD:
      checkForward(content);
      return { kind: "forward" };
    case DRILL:
      return { kind: "drill", ...drillShape(readJson(content, "drill"), "drill") };
    case FILE: {
      const { data, ...file } = fileShape(readCanonical(content, "file"), "file");
      return { kind: "file", ...file, bytes: data };
    }
    default:
      return { kind: "other", cty, text: content };
  }
}

function readEpisode(content: string): Opened {
  const said = episodeShape(readJson(content, "episode"), "episode");
  return {
    kind: "episode",
    sensor: said.sensor,
    channel: said.channel || null,
    what: said.what,
    limit: said.limit ?? null,
    since: said.since,
    until: said.until ?? null,
    value: said.value ?? null,
    unit: said.unit ?? "",
    detail: said.detail ?? "",
    readings: (said.readings ?? []).map(({ t, value }) => ({ at: t, value })),
  };
}

export function writeText(said: string): Said {
  return { cty: TEXT, content: said };
}

export function writeDrill(said: string): Said {
  return { cty: DRILL, content: canonical({ text: said }) };
}

/** `Malformed` for a file that is too large. Its name is made harmless, and a type that is none is left open. */
export function writeFile({ name, type, bytes, text: said }: Attachment): Said {
  checkSize(bytes.length, "file");
  const plain = Array.from(name.replace(MISLEADING, "_")).slice(0, MAX_NAME).join("");
  const [bare = ""] = type.toLowerCase().split(";");
  const content = canonical({
    data: b64url(bytes),
    name: plain || "file",
    text: said,
    type: MIME_TYPE.test(bare) ? bare : UNKNOWN_TYPE,
  });
  return { cty: FILE, content };
}

function checkSize(size: number, what: string): void {
  if (size > MAX_FILE_BYTES) {
    throw new Malformed(`${what}: want at most ${MAX_FILE_BYTES} bytes, got ${size}`);
  }
}
