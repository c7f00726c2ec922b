/** The spellings everything here is written in: base64url, base64, base32 and canonical JSON; and the hashes. */

import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as sha2 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { Malformed } from "./errors";

export type Bytes = Uint8Array<ArrayBuffer>;

export const HASH_BYTES = 32;

// Text

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
// A byte order mark is kept, so that it is refused like any other stray character.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

export function utf8(text: string): Bytes {
  if (!isWellFormed(text)) throw new Malformed("text: want Unicode, got half of a surrogate pair");
  return encoder.encode(text);
}

export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new Malformed("text: not UTF-8", { cause: error });
  }
}

// Bytes as letters

/** An alphabet of RFC 4648: each letter stands for `bits` bits. */
class Alphabet {
  private readonly codes: Uint8Array;
  private readonly values = new Int8Array(128).fill(-1);

  constructor(
    private readonly name: string,
    letters: string,
    private readonly bits: number,
  ) {
    this.codes = encoder.encode(letters);
    this.codes.forEach((code, value) => {
      this.values[code] = value;
    });
  }

  /** Without padding. */
  write(data: Uint8Array): string {
    const { bits, codes } = this;
    const mask = (1 << bits) - 1;
    const text = new Uint8Array(Math.ceil((data.length * 8) / bits));
    let held = 0;
    let left = 0;
    let at = 0;
    for (const byte of data) {
      held = ((held << 8) | byte) & 0xffff;
      for (left += 8; left >= bits; at++) {
        left -= bits;
        text[at] = codes[(held >> left) & mask] ?? 0;
      }
    }
    if (left > 0) text[at] = codes[(held << (bits - left)) & mask] ?? 0;
    return decoder.decode(text);
  }

  /** Only what `write` makes: other letters, one too many, or unused bits that are set are `Malformed`. */
  read(text: string, what: string): Bytes {
    const { bits, values } = this;
    const data = new Uint8Array(Math.floor((text.length * bits) / 8));
    let held = 0;
    let left = 0;
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      const value = values[text.charCodeAt(i)] ?? -1;
      if (value < 0) throw new Malformed(`${what}: not ${this.name}`);
      held = ((held << bits) | value) & 0xffff;
      left += bits;
      if (left >= 8) {
        left -= 8;
        data[at++] = (held >> left) & 0xff;
      }
    }
    if (left >= bits || (held & ((1 << left) - 1)) !== 0) {
      throw new Malformed(`${what}: not ${this.name} in its one permitted spelling`);
    }
    return data;
  }
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const urlSafe = new Alphabet("base64url", `${LETTERS}-_`, 6);
const standard = new Alphabet("base64", `${LETTERS}+/`, 6);
const thirtyTwo = new Alphabet("base32", "abcdefghijklmnopqrstuvwxyz234567", 5);

/** RFC 4648 section 5 without padding (RFC 7515 section 2). */
export function b64url(bytes: Uint8Array): string {
  return urlSafe.write(bytes);
}

/** Reads what `b64url` wrote; any other spelling of the same bytes is `Malformed`. */
export function unb64url(text: string, what = "value"): Bytes {
  return urlSafe.read(text, what);
}

/** 32 bytes of base64url. */
export function unb64urlHash(text: string, what: string): Bytes {
  const data = unb64url(text, what);
  if (data.length !== HASH_BYTES)
    throw new Malformed(`${what}: want ${HASH_BYTES} bytes, got ${data.length}`);
  return data;
}

/** RFC 4648 section 4 with padding, which the C2SP formats use. */
export function base64(bytes: Uint8Array): string {
  const text = standard.write(bytes);
  return text + "=".repeat(-text.length & 3);
}

export function unbase64(text: string, what = "value"): Bytes {
  if (text.length % 4 !== 0) throw new Malformed(`${what}: not base64`);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return standard.read(text.slice(0, text.length - padding), what);
}

/** Lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  return thirtyTwo.write(bytes);
}

export function unbase32(text: string, what = "value"): Bytes {
  return thirtyTwo.read(text, what);
}

export function hex(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}

// Bytes

/** Whether two values that need not be kept secret are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function concat(...parts: Uint8Array[]): Bytes {
  return concatBytes(...parts);
}

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: Uint8Array[]): Bytes {
  const hash = sha2.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function hmac256(key: Uint8Array, data: Uint8Array): Bytes {
  return hmac(sha2, key, data);
}

/** HKDF-SHA256 (RFC 5869) without a salt, to 32 bytes. */
export function hkdf256(master: Uint8Array, info: string): Bytes {
  return hkdf(sha2, master, undefined, utf8(info), HASH_BYTES);
}

// JSON

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** Nothing of ours nests as deep; a text that does would only exhaust the stack. */
const DEEPEST = 32;
const ASCII = /^[ -~]*$/;

/**
 * RFC 8785 JSON of strings, booleans, integers up to 2^53 - 1, arrays and objects with ASCII member names.
 * Members that are undefined are left out; anything else is `Malformed`.
 */
export function canonical(value: unknown): string {
  return written(value, 0);
}

function written(value: unknown, depth: number): string {
  if (depth > DEEPEST) throw new Malformed(`JSON: want at most ${DEEPEST} levels`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Malformed("JSON: want integers of at most 2^53 - 1");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, (each) => written(each, depth + 1)).join(",")}]`;
  if (isPlain(value)) return `{${members(value, depth).join(",")}}`;
  throw new Malformed(`JSON: want null, booleans, integers, text, lists and objects, got ${typeof value}`);
}

function members(value: Record<string, unknown>, depth: number): string[] {
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (!names.every((name) => ASCII.test(name))) throw new Malformed("JSON: want member names in ASCII");
  return names.sort().map((name) => `${JSON.stringify(name)}:${written(value[name], depth + 1)}`);
}

function quoted(text: string): string {
  if (!isWellFormed(text)) throw new Malformed("JSON: want Unicode, got half of a surrogate pair");
  return JSON.stringify(text);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Parses JSON in any spelling. */
export function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Malformed(`${what}: not JSON`, { cause: error });
  }
}

/**
 * Parses, and refuses what is not the canonical form of what it says: two texts for one value would give it two
 * hashes, and two readers two meanings.
 */
export function readCanonical(text: string, what: string): unknown {
  const value = readJson(text, what);
  if (canonical(value) !== text) throw new Malformed(`${what}: not in canonical form (RFC 8785)`);
  return value;
}
