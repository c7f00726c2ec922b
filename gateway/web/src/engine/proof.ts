/** Proof: everything that this page can check about an entry, checked anew, and told in words. */

import type { AccountId, EntryId, Proof } from "../model";
import { verifierKey } from "../proto/checkpoint";
import { b64url, canonical, hex, sha256, unb64urlHash, utf8 } from "../proto/encoding";
import { signingThumbprint } from "../proto/identity";
import { leafHash } from "../proto/merkle";
import { openDelivered } from "../proto/wire";
import type { Directory } from "./directory";
import { readHeader } from "./documents";
import { ForPerson, Problem, Unreachable, Untrusted } from "./errors";
import type { Gateway } from "./gateway";
import type { PartyRow, Store } from "./store";
import type { Trust } from "./trust";

export interface ProofParts {
  store: Pick<Store, "lineOf" | "delivered">;
  gateway: Pick<Gateway, "block">;
  trust: Trust;
  directory: Directory;
  titleOf(account: AccountId): string;
}

const MISSING = 404;

/** Raises what the first check raises that does not hold. */
export async function prove(id: EntryId, parts: ProofParts): Promise<Proof> {
  const { store, trust, directory, titleOf } = parts;
  const line = await store.lineOf(id);
  const delivered = line && (await store.delivered(line.index));
  if (!delivered) throw new ForPerson("This message is not on the chain yet.");
  const checks: string[] = [];

  const receipt = await trust.acceptReceipt(delivered.receipt, delivered.entry);
  const checkpoint = await trust.accept(receipt.note);
  checks.push(
    "The gateway signed the checkpoint, and it continues the one that this browser held before.",
    `The entry is number ${receipt.index} of the ${checkpoint.size} under this checkpoint: ${receipt.path.length} hashes lead from it to the root.`,
  );

  const { signed, body } = openDelivered(delivered);
  const { author } = signed.entry;
  await signed.verify(await directory.signingKey(author, signed.kid));
  const party = await partyOf(author, directory);
  checks.push(
    "Its author signed it, with a key that the chain gives to that account, from its first entry on.",
    body
      ? "The sealed body is the one that the signed entry binds."
      : "The body is not here: it was erased, or there never was one.",
  );

  const block = await blockOf(receipt.index, parts);
  if (block) checks.push("The block's hash is that of its header, and its root is of the same history.");

  return {
    id,
    index: receipt.index,
    leafHash: hex(leafHash(utf8(delivered.entry))),
    treeSize: checkpoint.size,
    rootHash: hex(checkpoint.root),
    pathLength: receipt.path.length,
    block,
    origin: trust.origin,
    signer: {
      account: author,
      title: titleOf(author),
      kid: signed.kid,
      current: signed.kid === signingThumbprint(party.keys.sign),
    },
    keys: party.keys.ever.map(({ kid, index, by, at }) => ({ kid, index, by, at })),
    commitment: signed.entry.type === "message" ? signed.entry.commitment : null,
    checkpoint: receipt.note,
    entry: delivered.entry,
    receipt: delivered.receipt,
    verifierKey: verifierKey(trust.origin, trust.key),
    checks,
  };
}

/** Asked for anew, since keys may have ended; what was proven before will do while the gateway is away. */
async function partyOf(account: AccountId, directory: Directory): Promise<PartyRow> {
  try {
    return await directory.ask(account);
  } catch (error) {
    const known = error instanceof Unreachable ? directory.party(account) : undefined;
    if (!known) throw error;
    return known;
  }
}

/** The block that holds the entry; none while the gateway is away. */
async function blockOf(index: number, { gateway, trust }: ProofParts): Promise<Proof["block"]> {
  let low = 0;
  // A block holds an entry at least.
  let high = index;
  try {
    while (low <= high) {
      const height = Math.floor((low + high) / 2);
      const block = await gateway.block(height).catch(noneIfMissing);
      const header = block && readHeader(block.header, "block header");
      if (!header || header.first > index) high = height - 1;
      else if (header.size <= index) low = height + 1;
      else {
        const hash = b64url(sha256(utf8(canonical(block.header))));
        if (hash !== block.hash || header.id !== height)
          throw new Untrusted(`block ${height}: its hash is not that of its header`);
        await trust.contains({ size: header.size, root: unb64urlHash(header.root, "block root") });
        return { height, hash, timestamp: header.timestamp };
      }
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
  return null;
}

function noneIfMissing(error: unknown): null {
  if (error instanceof Problem && error.status === MISSING) return null;
  throw error;
}
