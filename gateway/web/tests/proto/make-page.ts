/**
 * Makes `tests/vectors/page.json`, messages sealed by this page: in `gateway/web`,
 * `node tests/run.mjs tests/proto/make-page.ts`. It cannot be made twice alike: its randomness is WebCrypto's.
 */

import { writeFileSync } from "node:fs";
import { seal } from "../../src/proto/sealing";
import { ENTRY, NAMES, type Name, person } from "./people";

interface Message {
  cty: string;
  content: string;
  readers: readonly Name[];
}

const MESSAGES: Record<string, Message> = {
  "page, two readers": {
    cty: "text/plain",
    content: "On my way \u{1f6b6}\ufe0f, 9.4 \u00b0C",
    readers: ["alice", "bob"],
  },
  "page, five readers": {
    cty: "application/json",
    content: '{"text":"Bed 4, SpO\u2082 88 %"}',
    readers: NAMES,
  },
  "page, a note to oneself": { cty: "text/plain", content: "", readers: ["alice"] },
  "page, control characters": {
    cty: "text/plain",
    content: String.fromCharCode(...Array(0x20).keys(), 0x22, 0x5c, 0x2f, 0x7f, 0x2028, 0x2029),
    readers: ["alice", "bob"],
  },
};

async function sealed([name, { cty, content, readers }]: [string, Message]): Promise<unknown> {
  const alice = await person("alice");
  const keys = await Promise.all(readers.map(person));
  const { body, commitment } = await seal(content, {
    cty,
    iss: alice.account,
    skid: alice.signing.kid,
    mid: ENTRY,
    recipients: keys.map((each) => each.sealing.public),
  });
  const signer = alice.signing.kid;
  return { author: alice.account, body, commitment, content, cty, mid: ENTRY, name, readers, signer };
}

/** As `tests/vectors/once.py` writes its files: members sorted, one a line, nothing but ASCII. */
function rendered(cases: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(cases, null, 1).replace(/[^\0-~]/g, escaped)}\n`;
}

const cases = await Promise.all(Object.entries(MESSAGES).map(sealed));
writeFileSync(new URL("../../../../tests/vectors/page.json", import.meta.url), rendered(cases));
