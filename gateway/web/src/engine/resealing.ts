/**
 * Resealing: who is concerned by an open alert, and was not when it was sealed, cannot open it; the gateway cannot help.
 * One of those who can open it hands it on.
 *
 * To whom is not the gateway's to say: a group's members, and the parties of an escalation, are what admins signed.
 * Nobody sees what others hand on. So each waits for their turn, and does nothing once somebody took the alert. Twice is
 * harmless, and not at all would be worse.
 */

import type { AccountId, AlertView, EntryId, PartyId } from "../model";
import { writeForward } from "../proto/forward";
import { sealingThumbprint } from "../proto/identity";
import { outsideOf } from "../proto/sealing";
import type { Directory } from "./directory";
import type { Duty } from "./duty";
import { Problem, Untrusted } from "./errors";
import type { Friends } from "./friends";
import type { Ledger } from "./ledger";
import { type LetterParts, post } from "./letters";
import type { Turns } from "./locks";
import type { Opener, Sealed } from "./opener";
import type { Outbox } from "./outbox";
import type { Pin } from "./store";
import { isForward } from "./unsent";

/** How long somebody is given to do it, before the next one does; and who is later than the last turn does not. */
const TURN_MS = 10_000;
const MOST_TURNS = 4;

export interface ResealingParts extends LetterParts {
  directory: Pick<Directory, "concerned" | "pin">;
  duty: Pick<Duty, "on" | "members">;
  friends: Pick<Friends, "isOnline">;
  ledger: Pick<Ledger, "concerned" | "message" | "forwardsOf" | "alert">;
  opener: Pick<Opener, "unseal">;
  outbox: Pick<Outbox, "queue" | "waiting" | "discard">;
  turns: Turns;
  find(id: EntryId): Promise<Sealed | undefined>;
  /** Nobody waits for it. */
  failed(error: unknown): void;
}

export class Resealing {
  /** Who was concerned when each alert was looked at last. */
  #looked = new Map<string, string>();
  /** What waits for its turn, or was done: `message account`. */
  #begun = new Set<string>();
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #leads = false;
  #stopped = false;
  #resign: () => void = () => undefined;

  constructor(private readonly parts: ResealingParts) {}

  /**
   * Waits until no other tab of this browser does it, calls back, and goes on until it is stopped: two tabs would hand on
   * everything twice.
   */
  lead(begins: () => void): Promise<void> {
    const { turns, me } = this.parts;
    return turns.take(`blockpost-reseal-${me}`, async () => {
      if (this.#stopped) return;
      this.#leads = true;
      begins();
      await new Promise<void>((resign) => {
        this.#resign = resign;
      });
    });
  }

  /** Hands on what somebody lacks of an open alert. Looks at it again only if others are concerned than the last time. */
  async consider(alert: AlertView): Promise<void> {
    const concerned = [...this.parts.ledger.concerned(alert.episode)].sort();
    const { duty } = this.parts;
    const now = JSON.stringify(concerned.map((party) => [party, duty.members(party), duty.on(party)]));
    if (!this.#leads || !alert.open || this.#looked.get(alert.episode) === now) return;
    this.#looked.set(alert.episode, now);
    try {
      await this.#look(alert, concerned);
    } catch (error) {
      this.#looked.delete(alert.episode);
      throw error;
    }
  }

  /** What the chain did not take: it is over, or does not concern them any more. Nobody asked for it. */
  async tidy(): Promise<void> {
    const { outbox } = this.parts;
    for (const { id, parcel, refused } of outbox.waiting)
      if (refused && isForward(parcel)) await outbox.discard(id);
  }

  stop(): void {
    this.#stopped = true;
    this.#leads = false;
    this.#resign();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #look(alert: AlertView, concerned: readonly string[]): Promise<void> {
    const [first = alert.message] = alert.messages;
    const to = this.parts.ledger.message(first)?.to;
    if (to === undefined) return;
    const people = new Set<AccountId>();
    for (const party of concerned)
      for (const account of await this.#standingFor(party, to, first)) people.add(account);
    for (const id of new Set([first, alert.message])) await this.#complete(id, alert, [...people]);
  }

  /** Nobody where that is not proven, or none of our business: it is for somebody else to hand it on, then. */
  async #standingFor(party: PartyId, to: PartyId, about: EntryId): Promise<readonly AccountId[]> {
    if (party === this.parts.me) return [];
    try {
      return await this.parts.directory.concerned(party, to, about);
    } catch (error) {
      if (error instanceof Problem || error instanceof Untrusted) return [];
      throw error;
    }
  }

  async #complete(id: EntryId, alert: AlertView, people: readonly AccountId[]): Promise<void> {
    const { me, keyring, directory, find } = this.parts;
    const sealed = await find(id);
    const kids = new Set(sealed?.body === undefined ? [] : outsideOf(sealed.body)?.kids);
    if (!keyring.some(({ sealing }) => kids.has(sealing.kid))) return;
    const holds = (pin: Pin | undefined) => !!pin?.seal && kids.has(sealingThumbprint(pin.seal));
    const lacking = people
      .filter((account) => account !== me && account !== alert.author)
      .flatMap((account) => directory.pin(account) ?? [])
      // Keys that wait for a person's word are not used.
      .filter((pin) => pin.seal && !pin.waiting && !holds(pin));
    const holders = people.filter((account) => holds(directory.pin(account)));
    const turn = this.#turn(holders, this.parts.ledger.concerned(alert.episode));
    if (turn < MOST_TURNS) for (const pin of lacking) this.#plan(id, alert, pin, turn * TURN_MS);
  }

  /** Our place: those come first who are on duty and can open it, then the others of their groups; none who is away. */
  #turn(holders: readonly AccountId[], concerned: ReadonlySet<PartyId>): number {
    const { me, friends, duty } = this.parts;
    const groups = [...concerned];
    const first = groups.some((group) => duty.on(group).includes(me)) ? [...holders, me] : holders;
    const others = groups.flatMap((group) => duty.members(group));
    const order = new Set([...first.toSorted(), ...others.toSorted()]);
    const present = [...order].filter((account) => account === me || friends.isOnline(account) !== false);
    return present.indexOf(me);
  }

  #plan(id: EntryId, alert: AlertView, pin: Pin, wait: number): void {
    const deed = `${id} ${pin.account}`;
    const { me, ledger, failed } = this.parts;
    const isDone = ledger.forwardsOf(id).some(({ author, to }) => author === me && to === pin.account);
    if (isDone || this.#begun.has(deed)) return;
    this.#begun.add(deed);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#handOn(id, alert.episode, pin).catch((error: unknown) => {
        this.#begun.delete(deed);
        failed(error);
      });
    }, wait);
    this.#timers.add(timer);
  }

  async #handOn(id: EntryId, episode: string, { account, seal }: Pin): Promise<void> {
    const alert = this.parts.ledger.alert(episode, this.parts.now());
    if (!alert?.open || !seal) return;
    const said = writeForward(id, await this.parts.opener.unseal(id));
    await post({ to: account, keys: [seal] }, said, this.parts, { re: id });
  }
}
