/** A proof as a text, for an auditor: what was checked in this browser, and what to ask the gateway for to check it again. */

import type { Proof } from "../../model";

export function proofText(proof: Proof): string {
  const { signer, block, keys } = proof;
  return [
    "What a browser checked about an entry of a private chain",
    "",
    ...proof.checks.map((check) => `* ${check}`),
    "",
    `chain:       ${proof.origin}`,
    `entry:       ${proof.index}`,
    `entry id:    ${proof.id}`,
    `leaf hash:   ${proof.leafHash}`,
    ...(proof.commitment === null ? [] : [`commitment:  ${proof.commitment}`]),
    `signer:      ${signer.account}`,
    `signing key: ${signer.kid}`,
    ...(block === null
      ? []
      : [
          `block:       ${block.height}`,
          `block hash:  ${block.hash}`,
          `block time:  ${new Date(block.timestamp).toISOString()}`,
        ]),
    `tree size:   ${proof.treeSize}`,
    `root:        ${proof.rootHash}`,
    `path:        ${proof.pathLength} hashes`,
    "",
    "The signer's keys, the oldest first:",
    ...keys.map((key) => `  entry ${key.index}  ${key.kid}  ${key.by}`),
    "",
    "The receipt (C2SP tlog-proof), which ends with the checkpoint as the gateway signed it:",
    "",
    proof.receipt,
    "The entry, to the byte:",
    "",
    proof.entry,
    "",
    "Each of the two saved as a file, anybody can check it again with the gateway's key:",
    "",
    commandOf(proof),
    "",
  ].join("\n");
}

/** The two files are called as the page saves them. */
export function commandOf({ index, verifierKey }: Pick<Proof, "index" | "verifierKey">): string {
  return `blockpost chain check ${index}.tlog-proof ${index}.entry --key ${verifierKey}`;
}
