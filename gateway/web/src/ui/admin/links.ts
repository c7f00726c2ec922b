/** Who may write to whom: contacts of two accounts, and accounts that are linked to a group. */

import type { AccountId, LinkRow, PartyId } from "../../model";
import { search } from "../parts/search";
import type { Parties, Party } from "./parties";

export interface Link {
  key: string;
  /** An account always; a device rather than a person, since it is what reports. */
  one: Party;
  other: Party;
  /** Who has not accepted yet; null once it is in force. */
  waitsFor: Party | null;
}

/** The gateway orders the two sides by their ids, which says nothing. */
export function linkOf(row: LinkRow, parties: Parties): Link {
  const [a, b] = [parties(row.one), parties(row.other)];
  const [one, other] = rank(a) <= rank(b) ? [a, b] : [b, a];
  const waitsFor = row.askedBy === null ? null : row.askedBy === row.one ? b : a;
  return { key: `${row.one} ${row.other}`, one, other, waitsFor };
}

const RANKS: Record<Party["kind"], number> = { device: 0, service: 1, person: 2, group: 3 };

function rank(party: Party): number {
  return RANKS[party.kind];
}

/** Those with the words in either side's names, by the title of the one, then of the other. */
export function chosenLinks(links: readonly Link[], text: string): readonly Link[] {
  const wanted = search(text);
  return links
    .filter(({ one, other }) => wanted(one.title, one.handle, other.title, other.handle))
    .sort((a, b) => a.one.title.localeCompare(b.one.title) || a.other.title.localeCompare(b.other.title));
}

/** Whom an account is linked to already. What was asked and not accepted is not in force: a link makes it so. */
export function linkedTo(rows: readonly LinkRow[], account: AccountId): ReadonlySet<PartyId> {
  const inForce = rows.filter((row) => row.askedBy === null);
  return new Set([
    ...inForce.filter((row) => row.one === account).map((row) => row.other),
    ...inForce.filter((row) => row.other === account).map((row) => row.one),
  ]);
}
