/** Who there is, by name: accounts and groups, as an admin sees them. */

import type { AccountRow, GroupRow, Kind, PartyId } from "../../model";
import { search } from "../parts/search";

/** Of an account: whether it can do anything. Without a key, it waits for new ones. */
export type AccountState = "live" | "no key" | "revoked";

export function stateOf(account: Pick<AccountRow, "live" | "keyed">): AccountState {
  if (!account.live) return "revoked";
  return account.keyed ? "live" : "no key";
}

/** Its name, its handle, or the beginning of its id. */
export function titleOf(account: Pick<AccountRow, "name" | "handle" | "account">): string {
  return account.name ?? account.handle ?? beginningOf(account.account);
}

export interface Party {
  id: PartyId;
  title: string;
  /** What stands beside the title; null if there is nothing to add. */
  handle: string | null;
  kind: Kind | "group";
  live: boolean;
  members: number;
}

/** Finds a party by its id. What is not there any more (a group that ended) has the beginning of its id. */
export type Parties = (id: PartyId) => Party;

export function partiesOf(accounts: readonly AccountRow[], groups: readonly GroupRow[]): Parties {
  const known = new Map<PartyId, Party>();
  for (const each of accounts) known.set(each.account, partyOfAccount(each));
  for (const each of groups) known.set(each.id, partyOfGroup(each));
  return (id) =>
    known.get(id) ?? {
      id,
      title: beginningOf(id),
      handle: null,
      kind: id.startsWith("g-") ? "group" : "person",
      live: false,
      members: 0,
    };
}

export function partyOfAccount(account: AccountRow): Party {
  const title = titleOf(account);
  const handle = account.handle === title ? null : account.handle;
  return { id: account.account, title, handle, kind: account.kind, live: account.live, members: 0 };
}

export function partyOfGroup(group: GroupRow): Party {
  const title = group.name ?? beginningOf(group.id);
  return { id: group.id, title, handle: null, kind: "group", live: true, members: group.members.length };
}

/** The accounts that something can be done with: the gateway's own is not somebody. */
export function liveParties(accounts: readonly AccountRow[]): readonly Party[] {
  return accounts.filter((each) => each.live && each.role !== "gateway").map(partyOfAccount);
}

/** Kinds in the order that is wanted first, by title within one. */
export function byKind(parties: readonly Party[], order: readonly Party["kind"][]): readonly Party[] {
  const place = (party: Party) => order.indexOf(party.kind);
  return [...parties].sort((a, b) => place(a) - place(b) || a.title.localeCompare(b.title));
}

export interface AccountFilter {
  text: string;
  kind: Kind | "all";
  onlyLive: boolean;
}

/** Those that are wanted, the live ones first, by title. */
export function chosenAccounts(
  accounts: readonly AccountRow[],
  { text, kind, onlyLive }: AccountFilter,
): readonly AccountRow[] {
  const wanted = search(text);
  return accounts
    .filter((each) => kind === "all" || each.kind === kind)
    .filter((each) => !onlyLive || each.live)
    .filter((each) => wanted(each.name, each.handle, each.account))
    .sort((a, b) => Number(b.live) - Number(a.live) || titleOf(a).localeCompare(titleOf(b)));
}

function beginningOf(id: string): string {
  return `${id.slice(0, 8)}…`;
}
