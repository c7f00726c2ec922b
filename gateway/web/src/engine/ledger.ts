/**
 * The ledger: what follows from all the rows, in whichever order they come. Pure.
 *
 * Applying one row costs as much as it changes; what did not change stays the same object.
 */

import type { AccountId, AlertView, Conversation, EntryId, PartyId } from "../model";
import type { Deed } from "../proto/entry";
import { FORWARD } from "../proto/forward";
import { LIMITS, SETTINGS } from "../proto/limits";
import { Drills } from "./drills";
import { type Around, compare, Episode, episodeKey, insert, isListed, listed, timeOf } from "./episodes";
import type { MessageRow, Row, StatusRow, TickRow } from "./lines";
import { type PendingMessage, Thread } from "./thread";

/** What the list of friends shows of a conversation. */
export interface Summary {
  unread: number;
  openAlerts: number;
  latest: number | null;
}

export class Ledger {
  #known = new Set<number>();
  #messages = new Map<EntryId, MessageRow>();
  #threads = new Map<PartyId, Thread>();
  #episodes = new Map<string, Episode>();
  /** Those that may have to be listed, in the order of the last list; the others are over, and long ago. */
  #listable: Episode[] = [];
  /** Those to be looked at for the next list. */
  #touched = new Set<Episode>();
  /** Statuses that came before what they are about. */
  #early = new Map<EntryId, StatusRow[]>();
  /** Ticks that came before the first message of the alert that they are about. */
  #earlyTicks = new Map<EntryId, TickRow[]>();
  /** What hands on a message, by that message. */
  #forwards = new Map<EntryId, MessageRow[]>();
  /** What was said about the limits of a device, by the device. */
  #limits = new Map<AccountId, MessageRow[]>();
  readonly drills = new Drills();
  #alerts: readonly AlertView[] = [];
  #openAlerts = new Map<PartyId, number>();

  constructor(
    private readonly me: AccountId,
    private readonly around: Around,
  ) {}

  /** Takes one row; says whether it was new. */
  apply(row: Row): boolean {
    if (this.#known.has(row.index)) return false;
    this.#known.add(row.index);
    if (row.type === "message") this.#message(row);
    else if (row.type === "status") this.#status(row);
    else if (row.type === "tick") this.#tick(row);
    return true;
  }

  has(index: number): boolean {
    return this.#known.has(index);
  }

  message(id: EntryId): MessageRow | undefined {
    return this.#messages.get(id);
  }

  thread(party: PartyId): Thread {
    const found = this.#threads.get(party);
    if (found) return found;
    const made = new Thread(party, this.me, this.around.titleOf);
    this.#threads.set(party, made);
    return made;
  }

  episode(key: string): Episode | undefined {
    return this.#episodes.get(key);
  }

  alert(key: string, now: number): AlertView | null {
    return this.#episodes.get(key)?.view(this.around, now) ?? null;
  }

  /** The parties that an episode was addressed to, and those that a step named. */
  concerned(key: string): ReadonlySet<PartyId> {
    return this.#episodes.get(key)?.concerned ?? new Set();
  }

  conversation(party: PartyId): Conversation {
    return this.thread(party).conversation();
  }

  /** The same list as before, if nothing in it changed. */
  alerts(now: number): readonly AlertView[] {
    for (const episode of this.#listable) this.#touched.delete(episode);
    const sorted = [...this.#listable, ...this.#touched].flatMap((episode) => {
      const view = episode.view(this.around, now);
      return view && isListed(view, now) ? { episode, view } : [];
    });
    // Nearly in order as they are: few changed since the last time.
    sorted.sort((one, other) => compare(one.view, other.view));
    this.#touched.clear();
    this.#listable = sorted.map(({ episode }) => episode);
    const list = listed(sorted.map(({ view }) => view));
    const same = list.length === this.#alerts.length && list.every((view, at) => view === this.#alerts[at]);
    if (!same) {
      this.#alerts = list;
      this.#openAlerts = countOpen(list);
    }
    return this.#alerts;
  }

  /** As of the last time that `alerts` was asked. */
  summary(party: PartyId): Summary {
    const thread = this.#threads.get(party);
    return {
      unread: thread?.unread ?? 0,
      openAlerts: this.#openAlerts.get(party) ?? 0,
      latest: thread?.latest ?? null,
    };
  }

  /** Messages that hand on the one with this id. */
  forwardsOf(id: EntryId): readonly MessageRow[] {
    return this.#forwards.get(id) ?? [];
  }

  /** What the device said of its limits, and what it was asked for, oldest first. */
  limitsOf(device: AccountId): readonly MessageRow[] {
    return this.#limits.get(device) ?? [];
  }

  /** The alerts that ticks are about, and whose first message is not here. */
  missing(): EntryId[] {
    return [...this.#earlyTicks.keys()];
  }

  /** When a tick said that nobody answered an alert whose first message is not here. */
  unansweredAt(alert: EntryId): number | null {
    const ticks = this.#earlyTicks.get(alert) ?? [];
    const last = ticks.findLast(({ did }) =>
      did.some((deed) => deed.about === alert && deed.did === "nobody"),
    );
    return last ? timeOf(last) : null;
  }

  /** Messages of ours that are not committed; they come after all that are. */
  setPending(pending: readonly PendingMessage[]): void {
    const parties = new Map<PartyId, PendingMessage[]>();
    for (const message of pending) {
      const there = parties.get(message.conversation);
      if (there) there.push(message);
      else parties.set(message.conversation, [message]);
    }
    for (const [party, messages] of parties) this.thread(party).setPending(messages);
    for (const thread of this.#threads.values())
      if (thread.hasPending && !parties.has(thread.party)) thread.setPending([]);
  }

  /** We saw these messages, and the chain does not know it yet. */
  readAhead(messages: readonly EntryId[]): void {
    for (const id of messages) {
      const message = this.#messages.get(id);
      if (message) this.thread(message.conversation).read(message);
    }
  }

  /** Somebody is called something else now. */
  retitle(): void {
    for (const thread of this.#threads.values()) thread.retitle();
    this.relook();
  }

  /** What alerts are seen with has changed: who is on duty, or what the gateway says of them. */
  relook(): void {
    for (const episode of this.#episodes.values()) episode.forget();
  }

  /** A message can be opened now, and could not be before. */
  reopen(id: EntryId): void {
    const message = this.#messages.get(id);
    if (!message) return;
    this.thread(message.conversation).retitle();
    if (message.alert && message.author !== this.me) this.#episodeOf(message, message.alert.episode).renew();
  }

  #message(row: MessageRow): void {
    this.#messages.set(row.id, row);
    this.drills.message(row);
    if (row.cty === SETTINGS) this.#keep(this.#limits, row.author, row);
    if (row.cty === LIMITS) this.#keep(this.#limits, row.to, row);
    // It is shown in the place of what it hands on.
    if (row.cty === FORWARD && row.re !== null) this.#keep(this.#forwards, row.re, row);
    else this.thread(row.conversation).add(row);
    for (const tick of this.#earlyTicks.get(row.id) ?? []) this.#tick(tick, row.id);
    this.#earlyTicks.delete(row.id);
    // What we sent ourselves is for others to take.
    if (row.alert && row.author !== this.me) this.#episodeOf(row, row.alert.episode).add(row);
    for (const status of this.#early.get(row.id) ?? []) this.#status(status);
    this.#early.delete(row.id);
  }

  #status(status: StatusRow): void {
    const message = this.#messages.get(status.about);
    if (!message) {
      this.#early.set(status.about, [...(this.#early.get(status.about) ?? []), status]);
      return;
    }
    this.drills.status(status);
    if (message.alert && message.author !== this.me)
      this.#episodeOf(message, message.alert.episode).answer(status, message.index);
    const thread = this.thread(message.conversation);
    if (status.state === "seen") thread.seen(status, message);
    else if (status.author === this.me) thread.read(message);
  }

  /** What it did to the alert `only`, or to all that it is about. */
  #tick(tick: TickRow, only?: EntryId): void {
    const deeds = new Map<EntryId, Deed[]>();
    for (const deed of tick.did)
      if (deed.did !== "erased" && (only === undefined || deed.about === only))
        deeds.set(deed.about, [...(deeds.get(deed.about) ?? []), deed]);
    for (const [about, done] of deeds) {
      const message = this.#messages.get(about);
      if (!message) this.#earlyTicks.set(about, [...(this.#earlyTicks.get(about) ?? []), tick]);
      else if (message.alert && message.author !== this.me)
        this.#episodeOf(message, message.alert.episode).tick(tick, done);
    }
  }

  #keep(where: Map<string, MessageRow[]>, name: string, row: MessageRow): void {
    const there = where.get(name) ?? [];
    insert(there, row, ({ index }) => index);
    where.set(name, there);
  }

  #episodeOf(row: MessageRow, id: string): Episode {
    const key = episodeKey(row.author, id);
    const episode = this.#episodes.get(key) ?? new Episode(key, row.author, row.conversation, this.me);
    this.#episodes.set(key, episode);
    this.#touched.add(episode);
    return episode;
  }
}

function countOpen(alerts: readonly AlertView[]): Map<PartyId, number> {
  const counts = new Map<PartyId, number>();
  for (const { conversation, open } of alerts)
    if (open) counts.set(conversation, (counts.get(conversation) ?? 0) + 1);
  return counts;
}
