/**
 * The directory: from an account to the keys that are used for it, believed only as far as the chain proves them, and
 * pinned. A key that changed without the old key's consent is reported, and not taken without a person's word.
 */

import type { AccountId, EntryId, PartyId, SafetyCode } from "../model";
import { type Alert, MAX_MEMBERS } from "../proto/entry";
import { ProtoError, TwoHistories } from "../proto/errors";
import { type SealingKey, type SigningKey, signingThumbprint } from "../proto/identity";
import { checkEscalation, checkGroup, type ProvenKeys, proveParty } from "../proto/party";
import { safetyDigest, safetyQr, safetyWords } from "../proto/safety";
import type { IntentAnswer, Party } from "../proto/wire";
import { ForPerson, Problem, Unreachable, Untrusted } from "./errors";
import type { About, Gateway } from "./gateway";
import type { Keyring, PartyRow, Pin, Store } from "./store";
import type { Trust } from "./trust";

type AlertHeader = Pick<Alert, "kind" | "priority">;

/** Where a message goes: `to` is what its entry says, `keys` is what its body is sealed for. */
export interface Addressee {
  to: PartyId;
  keys: readonly SealingKey[];
}

const MISSING = 404;

type Book = Pick<Store, "pins" | "setPin" | "parties" | "setParty" | "route" | "setRoute">;

export class Directory {
  #pins = new Map<AccountId, Pin>();
  #parties = new Map<AccountId, PartyRow>();
  #asked = new Map<AccountId, Promise<PartyRow>>();
  #compared = new Map<AccountId, PartyRow>();
  #watchers = new Set<(byUs: boolean) => void>();

  private constructor(
    readonly me: AccountId,
    private readonly keyring: Keyring,
    private readonly book: Book,
    private readonly gateway: Gateway,
    private readonly trust: Trust,
  ) {}

  static async open(
    me: AccountId,
    keyring: Keyring,
    book: Book,
    gateway: Gateway,
    trust: Trust,
  ): Promise<Directory> {
    const directory = new Directory(me, keyring, book, gateway, trust);
    await directory.recall();
    return directory;
  }

  /** Reads what this browser's tabs have pinned. */
  async recall(): Promise<void> {
    const [pins, parties] = await Promise.all([this.book.pins(), this.book.parties()]);
    this.#pins = new Map(pins.map((pin) => [pin.account, pin]));
    this.#parties = new Map(parties.map((party) => [party.account, party]));
    this.#tell(false);
  }

  /** Calls back when a pin or what is known of somebody changed, by this tab or by another one. */
  subscribe(changed: (byUs: boolean) => void): void {
    this.#watchers.add(changed);
  }

  pin(account: AccountId): Pin | undefined {
    return this.#pins.get(account);
  }

  party(account: AccountId): PartyRow | undefined {
    return this.#parties.get(account);
  }

  /**
   * Keys to seal for. Falls back on whom `to` led to last while the gateway is away.
   *
   * Raises `Problem` if the chain does not let us write there, `Unreachable` if the gateway is away and it was never
   * asked, `Untrusted` if its answer is not proven, `ForPerson` where keys wait for a person's word.
   */
  async addressee(to: PartyId, alert?: AlertHeader): Promise<Addressee> {
    const accounts = alert ? await this.#alerted(to, alert) : await this.#accountsOf(to);
    const pins = accounts.flatMap((account) => this.#pins.get(account) ?? []);
    const [only] = pins;
    if (only?.waiting && !to.startsWith("g-"))
      throw new ForPerson(`${only.waiting}. Compare the safety code, and accept the new keys first.`);
    const keys = pins.flatMap((pin) => pin.seal ?? []);
    if (keys.length === 0) throw new ForPerson("Nobody there has a key to receive with.");
    return { to, keys };
  }

  /** Those who are addressed, and those to whom it may escalate. */
  async #alerted(to: PartyId, { kind, priority }: AlertHeader): Promise<readonly AccountId[]> {
    const answer = await this.#intent(to, { alert: { kind, priority } });
    await this.#named(answer);
    const further = answer.escalation?.parties.flatMap(({ recipients }) => recipients) ?? [];
    const accounts = await this.#meetAll([...answer.recipients, ...further]);
    // Those on duty come first, and a message has room for so many.
    return accounts.filter((account) => account !== this.me).slice(0, MAX_MEMBERS);
  }

  async #intent(to: PartyId, about: About = {}): Promise<IntentAnswer> {
    const answer = await this.gateway.intent(to, about);
    if (answer.to !== to) throw new Untrusted("the gateway answered for another addressee");
    await untrusted(checkGroup(answer, this.#accept));
    return answer;
  }

  /** Whom the escalation in an answer names, as an admin signed it. */
  async #named({ escalation }: IntentAnswer): Promise<ReadonlySet<PartyId>> {
    return escalation ? await untrusted(checkEscalation(escalation, this.#accept)) : new Set();
  }

  async #meetAll(parties: readonly Party[]): Promise<AccountId[]> {
    for (const party of parties) await this.meet(party);
    return [...new Set(parties.map(({ account }) => account))];
  }

  async #accountsOf(to: PartyId): Promise<readonly AccountId[]> {
    try {
      const accounts = await this.#meetAll((await this.#intent(to)).recipients);
      await this.book.setRoute({ to, accounts });
      return accounts;
    } catch (error) {
      const route = error instanceof Unreachable ? await this.book.route(to) : undefined;
      if (!route) throw error;
      return route.accounts;
    }
  }

  /**
   * Who stands for `party`, which an alert to `to` came to concern: by its author's word, or as an escalation names it.
   * Their keys are pinned. Raises what `addressee` does.
   */
  async concerned(party: PartyId, to: PartyId, re: EntryId): Promise<readonly AccountId[]> {
    const answer = await this.#intent(party, { re });
    const named = await this.#named(answer);
    if (party !== to && !named.has(party)) throw new Untrusted("no admin's contract names them");
    return await this.#meetAll(answer.recipients);
  }

  /** The key `kid` of `account`; raises `Untrusted` if it never was its key. */
  async signingKey(account: AccountId, kid: string): Promise<SigningKey> {
    const own = account === this.me ? this.keyring.find((keys) => keys.signing.kid === kid) : undefined;
    if (own) return own.signing.public;
    const known = keyOf(this.#parties.get(account)?.keys, kid) ?? keyOf((await this.ask(account)).keys, kid);
    if (!known) throw new Untrusted("it is signed with a key that its author never had");
    return known;
  }

  /** Asks the gateway for the account's keys, and proves them. */
  ask(account: AccountId): Promise<PartyRow> {
    const running = this.#asked.get(account);
    if (running) return running;
    const asking = this.#ask(account).finally(() => this.#asked.delete(account));
    this.#asked.set(account, asking);
    return asking;
  }

  async #ask(account: AccountId): Promise<PartyRow> {
    try {
      const party = await this.gateway.account(account);
      if (party.account !== account) throw new Untrusted("the gateway answered with another account");
      return await this.meet(party);
    } catch (error) {
      if (error instanceof Problem && error.status === MISSING)
        throw new Untrusted("the gateway does not know its author");
      throw error;
    }
  }

  /** Proves the keys of a party; pins them if they are the first, or were signed for by the pinned ones. */
  async meet(party: Party): Promise<PartyRow> {
    const { account, kind, live, handle, name } = party;
    const keys = await untrusted(proveParty(party, this.#accept));
    const row: PartyRow = { account, kind, live, handle, name, keys };
    if (account !== this.me) await this.#keep(pinned(this.#pins.get(account), row));
    if (JSON.stringify(row) !== JSON.stringify(this.#parties.get(account))) {
      await this.book.setParty(row);
      this.#parties.set(account, row);
      this.#tell(true);
    }
    return row;
  }

  /** Takes the keys that wait: those whose safety code a person was shown, and no later ones. */
  async acceptKeys(account: AccountId): Promise<void> {
    await this.#keep({ ...freshPin(await this.#shown(account)), verified: true });
  }

  async setVerified(account: AccountId, verified: boolean): Promise<void> {
    const shown = await this.#shown(account);
    const pin = this.#pins.get(account) ?? freshPin(shown);
    if (verified && pin.sign.x !== shown.keys.sign.x)
      throw new ForPerson("Their keys are not the ones that were compared. Compare the safety code again.");
    await this.#keep({ ...pin, verified });
  }

  async dismissNotice(account: AccountId): Promise<void> {
    const pin = this.#pins.get(account);
    if (pin) await this.#keep({ ...pin, notice: null });
  }

  /** The code of the keys that the chain has for the account: those that are to be compared. */
  async safetyCode(account: AccountId): Promise<SafetyCode> {
    const row = this.#parties.get(account) ?? (await this.ask(account));
    this.#compared.set(account, row);
    const other = { account, kid: signingThumbprint(row.keys.sign) };
    const digest = safetyDigest({ account: this.me, kid: this.keyring[0].signing.kid }, other);
    return { words: await safetyWords(digest), qr: safetyQr(digest) };
  }

  /** The keys whose safety code was shown last; where none was, those of now. */
  async #shown(account: AccountId): Promise<PartyRow> {
    return this.#compared.get(account) ?? this.#parties.get(account) ?? (await this.ask(account));
  }

  #accept = (receipt: string, leaf: string) => this.trust.acceptReceipt(receipt, leaf);

  async #keep(pin: Pin): Promise<void> {
    if (JSON.stringify(pin) === JSON.stringify(this.#pins.get(pin.account))) return;
    await this.book.setPin(pin);
    this.#pins.set(pin.account, pin);
    this.#tell(true);
  }

  #tell(byUs: boolean): void {
    for (const watcher of this.#watchers) watcher(byUs);
  }
}

function keyOf(keys: ProvenKeys | undefined, kid: string): SigningKey | undefined {
  return keys?.ever.find((held) => held.kid === kid)?.key;
}

function freshPin({ account, keys }: PartyRow): Pin {
  return { account, sign: keys.sign, seal: keys.seal, verified: false, notice: null, waiting: null };
}

/** The keys to use for a party: newly pinned, taken over from the old ones, or kept against the gateway. */
export function pinned(pin: Pin | undefined, row: PartyRow): Pin {
  const fresh = freshPin(row);
  if (!pin) return fresh;
  if (pin.sign.x === fresh.sign.x && pin.seal?.n === fresh.seal?.n) return pin;
  const who = row.name ?? row.handle ?? row.account;
  if (row.keys.lineage.includes(signingThumbprint(pin.sign)))
    return { ...fresh, notice: `${who} has new keys, signed for by the old ones` };
  const waiting = `${who} has new keys that the old ones did not sign for`;
  return { ...pin, verified: false, waiting };
}

/** What the chain does not prove is `Untrusted`; that there are two histories is worse, and stays what it is. */
async function untrusted<T>(proving: Promise<T>): Promise<T> {
  try {
    return await proving;
  } catch (error) {
    if (!(error instanceof ProtoError) || error instanceof TwoHistories) throw error;
    throw new Untrusted(error.message, { cause: error });
  }
}
