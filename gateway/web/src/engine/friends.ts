/** Friends: whom we talk to, what they are called, and whether they are there. */

import type { AccountId, FriendView, Me, PartyId } from "../model";
import type { Friend } from "../proto/wire";
import type { Directory } from "./directory";
import type { Gateway } from "./gateway";
import type { Summary } from "./ledger";
import { Refresh } from "./refresh";

const SHORT = 8;

export class Friends {
  #friends = new Map<PartyId, Friend>();
  #views = new Map<PartyId, FriendView>();
  #list: readonly FriendView[] = [];
  readonly #refresh = new Refresh(() => this.#ask());

  constructor(
    private readonly me: Me,
    private readonly gateway: Pick<Gateway, "friends">,
    private readonly directory: Directory,
    private readonly now: () => number,
    /** Somebody came, went, or is called something else. */
    private readonly changed: () => void,
  ) {}

  /** Asks the gateway. Who asks while it is being asked gets an answer that is no older than the question. */
  refresh(): Promise<void> {
    return this.#refresh.now();
  }

  async #ask(): Promise<void> {
    const friends = await this.gateway.friends();
    this.#friends = new Map(friends.map((friend) => [friend.id, friend]));
    this.changed();
  }

  isMember(group: PartyId): boolean {
    return this.#friends.get(group)?.state === "member";
  }

  /** Whether somebody is there; null of whom we are not told. */
  isOnline(id: AccountId): boolean | null {
    return this.#friends.get(id)?.online ?? null;
  }

  /** A contact came, or went. */
  present(id: AccountId, online: boolean): void {
    const friend = this.#friends.get(id);
    if (!friend) return;
    this.#friends.set(id, { ...friend, online, last_seen: this.now() });
    this.changed();
  }

  /** What to call an account or a group: its name, its handle, or the beginning of its id. */
  title(id: PartyId): string {
    const known = id === this.me.account ? this.me : (this.#friends.get(id) ?? this.directory.party(id));
    return known?.name ?? known?.handle ?? id.slice(0, SHORT);
  }

  /** By name. What did not change is the same object as before. */
  list(summary: (party: PartyId) => Summary): readonly FriendView[] {
    const list = [...this.#friends.values()].map((friend) => this.#view(friend, summary(friend.id)));
    list.sort((one, other) => one.title.localeCompare(other.title) || (one.id < other.id ? -1 : 1));
    const same = list.length === this.#list.length && list.every((view, at) => view === this.#list[at]);
    if (!same) this.#list = list;
    return this.#list;
  }

  #view(friend: Friend, { unread, openAlerts, latest }: Summary): FriendView {
    const pin = this.directory.pin(friend.id);
    const notice = pin?.waiting ?? pin?.notice ?? null;
    const view: FriendView = {
      id: friend.id,
      kind: friend.kind,
      state: friend.state,
      live: friend.live,
      handle: friend.handle,
      title: this.title(friend.id),
      online: friend.online,
      lastSeen: friend.last_seen,
      unread,
      openAlerts,
      latest,
      verified: pin?.verified ?? false,
      keyNotice: notice === null ? null : { text: notice, waiting: pin?.waiting !== null },
    };
    const before = this.#views.get(friend.id);
    if (before && JSON.stringify(before) === JSON.stringify(view)) return before;
    this.#views.set(friend.id, view);
    return view;
  }
}
