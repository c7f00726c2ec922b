/**
 * The door: who is in, and how one comes in and out. It moves the page from one stage to the next.
 *
 * The password never leaves the browser: the gateway gets a key that is derived from it, and another one opens the
 * backup of the private keys.
 */

import type { Me, Stage } from "../model";
import { type Card, makeBody, readCard, refOf, writeCard } from "../proto/body";
import { type Bytes, unb64url } from "../proto/encoding";
import { CannotOpen, TwoHistories } from "../proto/errors";
import { readKeyFile } from "../proto/keyfile";
import { type DerivedKeys, derivePassword } from "../proto/password";
import { type Delivered, type Me as MeAnswer, readDelivered } from "../proto/wire";
import { checkPassword, openBackup, recoveryKeys, withPassword, withRecovery } from "./credentials";
import { ForPerson, hasEnded, Problem, Unreachable } from "./errors";
import { finish, join, type Wish } from "./joining";
import type { Ending, Session } from "./session";
import { forgetStore, openStore, type Store } from "./store";
import { restoredTrust } from "./trust";
import type { World } from "./world";

const RETRY_MS = 2_000;
const UNAUTHENTICATED = 401;
const NOT_FOUND = 404;

export const WRONG_LOGIN = "The handle or the password is wrong.";
export const WRONG_RECOVERY = "The handle or the recovery code is wrong.";

/** Opens a session; `ended` is told once when it is over by itself. */
export type OpenSession = (
  world: World,
  store: Store,
  me: Me,
  ended: (ending: Ending) => void,
) => Promise<Session>;

export class Door {
  #session: Session | null = null;
  /** While the password changes, the gateway ends the session that it was begun with. */
  #changing: Promise<void> | null = null;

  constructor(
    private readonly world: World,
    private readonly open: OpenSession,
  ) {}

  /** The session of who is in. Raises if nobody is. */
  get session(): Session {
    if (!this.#session) throw new ForPerson("Nobody is logged in.");
    return this.#session;
  }

  /** Finds out where the person is. Does not give up while the gateway is away. */
  async start(): Promise<void> {
    for (;;) {
      try {
        await this.#resume();
        return;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        this.world.board.show({ lamp: "offline" });
        await new Promise((wake) => setTimeout(wake, RETRY_MS));
      }
    }
  }

  async #resume(): Promise<void> {
    const { gateway, visitors } = this.world;
    const [site] = (await gateway.site()).origin.split("/");
    this.world.board.show({ site: site ?? null, lamp: "connecting" });
    const last = visitors.last();
    if (last) await this.#finishJoining(last.account);
    try {
      await this.#enter(await gateway.check(), null);
    } catch (error) {
      if (!hasEnded(error)) throw error;
      this.#welcome(null);
    }
  }

  /** A browser that was closed while it registered goes on with it. */
  async #finishJoining(account: string): Promise<void> {
    if (!this.world.visitors.hadKeys(account)) return;
    const store = await openStore(account);
    try {
      const membership = await store.membership();
      if (membership && !membership.joined) await finish(this.world, store);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.world.board.complain(`Your registration was not accepted: ${error.detail}`);
    } finally {
      store.close();
    }
  }

  // In

  async register(wish: Wish): Promise<void> {
    const joined = await join(this.world, wish);
    wish.progress("Logging in");
    const me = await this.world.gateway.login(joined.handle, joined.auth);
    await this.#enter(me, null, { name: "recovery", code: joined.recovery });
  }

  confirmRecovery(typed: string): void {
    const { stage } = this.world.board.view();
    if (stage.name !== "recovery") return;
    const same = (code: string) => recoveryKeys(code).auth;
    if (same(typed) !== same(stage.code))
      throw new ForPerson("This is another code than the one that was shown. Look at what you wrote down.");
    this.#show({ name: "home" });
  }

  async login(handle: string, password: string): Promise<void> {
    if (password === "") throw new ForPerson(WRONG_LOGIN);
    const name = handle.trim().toLowerCase();
    const salt = await this.world.gateway.salt(name);
    const { auth, wrap } = await derivePassword(password, unb64url(salt, "salt"));
    await this.#enter(await this.#loggedIn(name, auth, WRONG_LOGIN), wrap);
  }

  async loginWithRecovery(handle: string, code: string, wanted: string): Promise<void> {
    const keys = recoveryKeys(code);
    const me = await this.#loggedIn(handle.trim().toLowerCase(), keys.auth, WRONG_RECOVERY);
    await this.#enter(me, keys.wrap);
    if (this.#session) await this.#setPassword(await this.#card(), keys, wanted);
  }

  /** With a key that opens the backup, for a browser that is logged in and has no keys. */
  async restore(secret: { password: string } | { recovery: string }): Promise<void> {
    const card = await this.#card();
    const keys =
      "password" in secret ? await checkPassword(card, secret.password) : recoveryKeys(secret.recovery);
    const me = await this.world.gateway.check();
    if (!(await this.#restored(me, keys.wrap)))
      throw new ForPerson("This does not open the backup of your keys.");
    await this.#enter(me, null);
  }

  async #loggedIn(handle: string, auth: string, wrong: string): Promise<MeAnswer> {
    try {
      return await this.world.gateway.login(handle, auth);
    } catch (error) {
      if (error instanceof Problem && error.status === UNAUTHENTICATED) throw new ForPerson(wrong);
      throw error;
    }
  }

  /** Whoever is logged in comes in, if this browser has their keys, or `wrap` opens their backup. */
  async #enter(answer: MeAnswer, wrap: Bytes | null, stage: Stage = { name: "home" }): Promise<void> {
    const me: Me = {
      ...answer,
      handle: answer.handle ?? answer.account,
      name: answer.name ?? answer.account,
    };
    const store = await openStore(me.account);
    if (!(await store.keyring()) && !(wrap && (await this.#restored(answer, wrap)))) {
      store.close();
      const lost = this.world.visitors.hadKeys(me.account);
      this.world.board.show({ me, stage: { name: "restore", handle: me.handle, lost } });
      return;
    }
    this.world.visitors.remember({ account: me.account, handle: me.handle });
    this.world.visitors.rememberKeys(me.account);
    await this.#begin(store, me, stage);
    // A browser that is short of space, or idle for long, deletes what it was not asked to keep.
    await navigator.storage?.persist?.();
  }

  async #begin(store: Store, me: Me, stage: Stage): Promise<void> {
    await this.#stop();
    try {
      this.#session = await this.open(this.world, store, me, (ending) => this.#over(ending));
    } catch (error) {
      if (!(error instanceof TwoHistories)) throw error;
      await this.#refuse(store, error);
      return;
    }
    const locked = this.world.visitors.isLocked();
    this.world.board.show({ me, stage: locked ? { name: "locked", handle: me.handle } : stage });
    this.#session.start();
  }

  // Keys

  /** Fills the store from a backup; says whether `wrap` opened one. Raises what first trust raises. */
  async #restored(me: MeAnswer, wrap: Bytes): Promise<boolean> {
    const profile = await this.#profile();
    const file = await openBackup(cardOf(profile), wrap).catch(nothingIf(CannotOpen));
    if (!file) return false;
    const keys = await readKeyFile(file).finally(() => file.fill(0));
    if (keys.account !== me.account) throw new ForPerson("The backup is of another account's keys.");
    const { gateway } = this.world;
    const prove = (from: number, to: number) => gateway.consistency(from, to);
    const trust = await restoredTrust(await gateway.site(), profile, keys.signing.public, prove);
    const store = await openStore(me.account);
    await store.setMembership({
      account: me.account,
      handle: me.handle ?? me.account,
      role: me.role,
      origin: trust.origin,
      gatewayKey: trust.gatewayKey,
      joined: true,
    });
    await store.replaceCheckpoint(undefined, trust.note);
    await store.setKeyring([keys]);
    store.close();
    return true;
  }

  #profile(): Promise<Delivered> {
    return this.world.gateway.ask("GET", "/v1/profile", readDelivered).catch((error: unknown) => {
      if (error instanceof Problem && error.status === NOT_FOUND)
        throw new ForPerson("The gateway has no profile of this account.");
      throw error;
    });
  }

  async #card(): Promise<Card> {
    return cardOf(await this.#profile());
  }

  async changePassword(old: string, wanted: string): Promise<void> {
    const card = await this.#card();
    await this.#setPassword(card, await checkPassword(card, old), wanted);
  }

  async #setPassword(card: Card, keys: DerivedKeys, wanted: string): Promise<void> {
    const { session } = this;
    const changed = await withPassword(card, keys, wanted);
    const changing = this.#publish(changed.card).then(async () => {
      // The sessions that were begun with the old password have just ended, this one too.
      await this.world.gateway.login(session.me.handle, changed.auth);
    });
    this.#changing = changing.then(
      () => undefined,
      () => undefined,
    );
    await changing;
  }

  async renewRecovery(password: string): Promise<string> {
    const card = await this.#card();
    const renewed = await withRecovery(card, await checkPassword(card, password));
    await this.#publish(renewed.card);
    return renewed.code;
  }

  async #publish(card: Card): Promise<void> {
    const body = makeBody(writeCard(card));
    await this.session.say({ type: "profile", body: refOf(body) }, body);
  }

  // Locked

  /** The session goes on, and its alerts go on sounding. */
  lock(): void {
    if (!this.#session || this.world.board.view().stage.name !== "home") return;
    this.world.visitors.lock(true);
    this.#show({ name: "locked", handle: this.#session.me.handle });
  }

  async unlock(password: string): Promise<void> {
    const profile = (await this.session.store.profile()) ?? (await this.#profile());
    await checkPassword(cardOf(profile), password);
    this.world.visitors.lock(false);
    this.#show({ name: "home" });
  }

  // Out

  async logout({ forget }: { forget: boolean }): Promise<void> {
    const account = this.#session?.me.account ?? this.world.board.view().me?.account;
    await this.world.gateway.logout().catch((error: unknown) => {
      if (!hasEnded(error)) throw error;
    });
    await this.#stop();
    if (forget && account) {
      await forgetStore(account);
      this.world.visitors.forget(account);
    }
    this.#welcome(null);
  }

  #over(ending: Ending): void {
    if (ending.because === "two-histories") {
      void this.session.store.evidence().then((evidence) => {
        if (evidence) this.#show({ name: "two-histories", evidence });
      });
      return;
    }
    void this.#loggedOut(ending.detail);
  }

  /** The gateway ended the session: perhaps there is a newer one already. */
  async #loggedOut(detail: string): Promise<void> {
    await this.#changing;
    const locked = this.world.board.view().stage;
    const { me } = this.session;
    await this.#stop();
    try {
      const answer = await this.world.gateway.check();
      await this.#begin(await openStore(answer.account), { ...me, expires: answer.expires }, locked);
    } catch (error) {
      if (error instanceof Unreachable) return await this.start();
      this.#welcome(detail);
    }
  }

  async #stop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.stop();
  }

  async #refuse(store: Store, error: TwoHistories): Promise<void> {
    const evidence = await store.evidence();
    store.close();
    if (!evidence) throw error;
    this.#show({ name: "two-histories", evidence });
  }

  #welcome(reason: string | null): void {
    const { board, visitors } = this.world;
    visitors.lock(false);
    board.clear();
    board.show({
      lamp: "ended",
      stage: { name: "welcome", reason, handle: visitors.last()?.handle ?? null },
    });
  }

  #show(stage: Stage): void {
    this.world.board.show({ stage });
  }
}

function cardOf(profile: Delivered): Card {
  if (profile.body === undefined) throw new ForPerson("Your profile has been erased from the gateway.");
  return readCard(profile.body);
}

function nothingIf(kind: abstract new (...given: never[]) => Error): (error: unknown) => null {
  return (error) => {
    if (error instanceof kind) return null;
    throw error;
  };
}
