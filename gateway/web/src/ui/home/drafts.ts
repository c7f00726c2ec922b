/** What somebody began to write, kept for each conversation while the page is open. It is never stored. */

import type { AccountId, EntryId, PartyId } from "../../model";
import { fileSize, shownName } from "./said";

export interface Draft {
  text: string;
  file: File | null;
  /** The message that it answers. */
  re: EntryId | null;
}

export const EMPTY: Draft = { text: "", file: null, re: null };

/** At most so many bytes can be attached. */
export const MOST_BYTES = 40_960;

export class Drafts {
  private owner: AccountId | null = null;
  private readonly kept = new Map<PartyId, Draft>();

  of(owner: AccountId, party: PartyId): Draft {
    this.belongTo(owner);
    return this.kept.get(party) ?? EMPTY;
  }

  keep(owner: AccountId, party: PartyId, draft: Draft): void {
    this.belongTo(owner);
    if (draft.text === "" && draft.file === null && draft.re === null) this.kept.delete(party);
    else this.kept.set(party, draft);
  }

  /** What one person wrote is gone when another one is here. */
  private belongTo(owner: AccountId): void {
    if (this.owner !== owner) this.kept.clear();
    this.owner = owner;
  }
}

/** Why a file cannot be attached; null if it can. It is asked before anything of the file is read. */
export function refusal({ name, size }: { name: string; size: number }): string | null {
  if (size === 0) return `${shownName(name)} is empty, or not a file.`;
  if (size <= MOST_BYTES) return null;
  return `${shownName(name)} is too big: it has ${fileSize(size)}, and at most ${fileSize(MOST_BYTES)} can be sent.`;
}
