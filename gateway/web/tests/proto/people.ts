/** The test accounts and known answers of `tests/vectors/`, which pytest reads, too. */

import { readFileSync } from "node:fs";
import { canonical, utf8 } from "../../src/proto/encoding";
import { type Keys, readKeyFile } from "../../src/proto/keyfile";

export const NAMES = ["alice", "bob", "carol", "dave", "mallory"] as const;
export type Name = (typeof NAMES)[number];

/** The id of the entry that the vectors' messages are in. */
export const ENTRY = "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

/** A file of cases. They are ours, and whoever reads them says what is in them. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../tests/vectors/${name}.json`, import.meta.url), "utf8"));
}

interface KeysFile {
  accounts: Record<Name, { account: string; keys: [Record<string, string>, Record<string, string>] }>;
  weak: Record<string, string>;
}

export const PUBLISHED: KeysFile = vectors("keys");

const people = new Map<Name, Promise<Keys>>();

export function person(name: Name): Promise<Keys> {
  const keys = people.get(name) ?? readKeyFile(utf8(canonical(PUBLISHED.accounts[name])));
  people.set(name, keys);
  return keys;
}

/** What somebody can open with. */
export async function opener(name: Name): Promise<Map<string, CryptoKey>> {
  const { sealing } = await person(name);
  return new Map([[sealing.kid, sealing.private]]);
}
