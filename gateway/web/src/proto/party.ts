/**
 * What the chain proves of an account: the keys that its own entries give it, and the members that an admin's entry
 * gives a group. What the gateway says beyond that is only its word.
 */

import { type Account, type Key, parseEntry, type SignedEntry } from "./entry";
import { Unverified } from "./errors";
import { accountId, type SealingKey, type SigningKey, signingThumbprint } from "./identity";
import type { Delivered, IntentAnswer, Party } from "./wire";

/** A key that the account has or had: since which entry, by its author's clock when, and how it came. */
export interface HeldKey {
  key: SigningKey;
  kid: string;
  index: number;
  at: number;
  by: "join" | "rotation" | "reset";
}

/**
 * An account's keys by its own entries. `lineage` are the thumbprints that lead, each signing for the next, to the
 * current one; an admin's reset begins a new lineage. `ever` are all that it had, oldest first.
 */
export interface ProvenKeys {
  role: Account["role"];
  kind: Account["kind"];
  sign: SigningKey;
  seal: SealingKey | null;
  lineage: string[];
  ever: HeldKey[];
}

/** Verifies that a receipt proves a leaf, on the one history that is believed. */
export type Accept = (receipt: string, leaf: string) => Promise<{ index: number }>;

/** The keys that the chain proves; raises for a party whose entries do not hold. */
export async function proveParty(party: Party, accept: Accept): Promise<ProvenKeys> {
  let keys: ProvenKeys | null = null;
  for (const delivered of party.entries) {
    const { signed, index } = await received(delivered, accept);
    const { entry } = signed;
    if (entry.type === "account" && !keys) {
      keys = await joined(party.account, signed, entry, index);
    } else if (entry.type === "key" && entry.account === party.account && keys) {
      keys = await followed(keys, signed, entry, index);
    } else {
      throw new Unverified("party: want its account entry, then its key entries");
    }
  }
  if (!keys) throw new Unverified("party: want its account entry, got no entries");
  return keys;
}

async function received(
  delivered: Delivered,
  accept: Accept,
): Promise<{ signed: SignedEntry; index: number }> {
  const { index } = await accept(delivered.receipt, delivered.entry);
  return { signed: parseEntry(delivered.entry), index };
}

async function joined(id: string, signed: SignedEntry, entry: Account, index: number): Promise<ProvenKeys> {
  if (entry.author !== id || accountId(entry.sign) !== id) {
    throw new Unverified("party: the account entry is another account's");
  }
  await signed.verify(entry.sign);
  const kid = signingThumbprint(entry.sign);
  return {
    role: entry.role,
    kind: entry.kind,
    sign: entry.sign,
    seal: entry.seal ?? null,
    lineage: [kid],
    ever: [{ key: entry.sign, kid, index, at: entry.at, by: "join" }],
  };
}

async function followed(
  keys: ProvenKeys,
  signed: SignedEntry,
  entry: Key,
  index: number,
): Promise<ProvenKeys> {
  const isRotation = entry.author === entry.account;
  if (isRotation) await signed.verify(keys.sign);
  const kid = signingThumbprint(entry.sign);
  const by = isRotation ? "rotation" : "reset";
  return {
    ...keys,
    sign: entry.sign,
    seal: entry.seal,
    lineage: isRotation ? [...keys.lineage, kid] : [kid],
    ever: [...keys.ever, { key: entry.sign, kid, index, at: entry.at, by }],
  };
}

/** The key `kid`, current or not; raises if the account never had it. */
export function keyNamed(keys: ProvenKeys, kid: string): SigningKey {
  const held = keys.ever.find((each) => each.kid === kid);
  if (!held) throw new Unverified("signed with a key that its author never had");
  return held.key;
}

/** A party, and the accounts that are said to stand for it. */
export type Named = Pick<IntentAnswer, "to" | "recipients"> & Partial<Pick<IntentAnswer, "group" | "admin">>;

export type Escalation = NonNullable<IntentAnswer["escalation"]>;

/**
 * Whom an admin's contract names. Raises unless those are the parties that an alert is said to escalate to, and the chain
 * names their accounts. The keys of each are still to be proven.
 */
export async function checkEscalation(escalation: Escalation, accept: Accept): Promise<ReadonlySet<string>> {
  const { admin, contract, parties } = escalation;
  const proven = await proveParty(admin, accept);
  const { signed } = await received(contract, accept);
  await signed.verify(keyNamed(proven, signed.kid));
  const said = signed.entry;
  if (said.type !== "contract" || said.action !== "install" || said.terms?.kind !== "escalate") {
    throw new Unverified("an escalation without the admin's entry that installs it");
  }
  if (said.author !== admin.account || proven.role !== "admin") {
    throw new Unverified("the contract's entry is not signed by that admin");
  }
  const named = new Set(said.terms.params.steps.map(({ to }) => to));
  if (!parties.every(({ to }) => named.has(to))) {
    throw new Unverified("the escalation goes to a party that the contract does not name");
  }
  for (const party of parties) await checkGroup(party, accept);
  return named;
}

/**
 * Raises unless the addressees are whom the chain names: the account that was asked for, or members of the group by
 * an admin's entry. The keys of each are still to be proven. Any other addressee is the gateway's invention.
 */
export async function checkGroup(answer: Named, accept: Accept): Promise<void> {
  const accounts = answer.recipients.map((party) => party.account);
  if (!answer.to.startsWith("g-")) {
    if (accounts.length === 0 || accounts.some((account) => account !== answer.to)) {
      throw new Unverified("the addressees are not the account that was asked for");
    }
    return;
  }
  const { group, admin } = answer;
  if (!group || !admin) throw new Unverified("a group without the admin's entry that names its members");
  const proven = await proveParty(admin, accept);
  const { signed } = await received(group, accept);
  // An admin's keys may have changed since: a group outlives them.
  await signed.verify(keyNamed(proven, signed.kid));
  const said = signed.entry;
  if (
    said.type !== "group" ||
    said.group !== answer.to ||
    !accounts.every((id) => said.members.includes(id))
  ) {
    throw new Unverified("the addressees are not the group's members by the admin's entry");
  }
  if (said.author !== admin.account || proven.role !== "admin") {
    throw new Unverified("the group's entry is not signed by that admin");
  }
}
