/**
 * The door: who is in, and how one comes in and out. It moves the page from one stage to the next.
 *
 * The password never leaves the browser: the gateway gets a key that is derived from it, and another one opens the
 * backup of the private keys.
 */

import type { Lamp, Me, Stage } from "../model";
import { type Bytes, unb64url } from "../proto/encoding";
import { TwoHistories } from "../proto/errors";
import { type DerivedKeys, derivePassword } from "../proto/password";
import type { Me as MeAnswer } from "../proto/wire";
import { checkNewPassword, checkPassword, recoveryKeys } from "./credentials";
import { ForPerson, forPerson, hasEnded, LOGIN_CHANGED, Unreachable, wordsOfEnding } from "./errors";
import { wasIdle } from "./idle";
import { goOnJoining, type Joined, join, patiently, type Wish } from "./joining";
import { Lock } from "./lock";
import { keysOf, PasswordChanged, renewRecovery, setPassword } from "./passwords";
import { askProfile, cardOf, restoreKeys } from "./restoring";
import type { Ending, Session } from "./session";
import { forgetStore, openStore, type Store } from "./store";
import type { World } from "./world";

const RETRY_MS = 2_000;
const STARTING: Stage = { name: "starting" };
const HOME: Stage = { name: "home" };

/** Held by the tab that changes the password: no session is over before it has logged in again, for all tabs. */
const CHANGING = "blockpost-password";

export const WRONG_LOGIN = "The handle or the password is wrong.";
export const WRONG_RECOVERY = "The handle or the recovery code is wrong.";
const WRONG_CODE = "This is another code than the one that was shown. Look at what you wrote down.";
const OWES_RECOVERY =
  "Your recovery code was not confirmed. Make a new one under My account, and write it down: without it nobody can help you if you forget your password.";

/** Opens a session; `ended` is told once when it is over by itself. */
export type OpenSession = (
  world: World,
  store: Store,
  me: Me,
  ended: (ending: Ending) => void,
) => Promise<Session>;

export class Door {
  readonly #lock: Lock;
  #session: Session | null = null;
  /** How the gateway ended the session, if it did. */
  #ending: string | null = null;
  /** The latest attempt to find out who is in; earlier ones come to nothing. */
  #attempt = 0;
  #wake: () => void = () => undefined;

  constructor(
    private readonly world: World,
    private readonly open: OpenSession,
  ) {
    this.#lock = new Lock(world, () => this.session);
  }

  /** The session of who is in. Raises if nobody is. */
  get session(): Session {
    if (!this.#session) throw new ForPerson("Nobody is logged in.");
    return this.#session;
  }

  /** The network is back, or the page is looked at again: do not wait any longer. */
  wake(): void {
    this.#wake();
    this.#session?.wake();
  }

  /** Finds out where the person is. Does not give up while the gateway is away, or in trouble. */
  start(): Promise<void> {
    return this.#settle(null);
  }

  /** `reason` is what who was in is told if nobody is in any more. */
  async #settle(reason: string | null): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isOld = () => attempt !== this.#attempt;
    while (!isOld()) {
      try {
        await this.#resume(reason, isOld);
        return;
      } catch (error) {
        if (isOld()) return;
        if (!(error instanceof Unreachable)) this.world.board.complain(forPerson(error).message);
        this.world.board.show({ lamp: "offline" });
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((wake) => {
      this.#wake = wake;
      setTimeout(wake, RETRY_MS);
    });
  }

  async #resume(reason: string | null, isOld: () => boolean): Promise<void> {
    const { gateway, visitors, board, turns } = this.world;
    await this.#finishLeaving();
    const [site] = (await gateway.site()).origin.split("/");
    board.show({ site: site ?? null });
    const told = await goOnJoining(this.world);
    await turns.take(CHANGING, async () => undefined);
    if (isOld()) return;
    try {
      const answer = await gateway.check();
      if (isOld()) return;
      if (wasIdle(visitors, this.world.now())) visitors.lock(answer.account);
      await this.#enter(answer, null);
      if (told !== null) board.complain(told);
    } catch (error) {
      if (!hasEnded(error)) throw error;
      if (!isOld()) await this.#welcome(reason ?? told);
    }
  }

  // In

  async register(wish: Wish): Promise<void> {
    const { handle, auth, recovery } = await this.#join(wish);
    wish.progress("Logging in");
    const waiting = () => wish.progress("You have joined. Waiting for the gateway to log you in");
    const me = await patiently(() => this.world.gateway.login(handle, auth), waiting);
    await this.#enter(me, null, { name: "recovery", code: recovery });
  }

  async #join(wish: Wish): Promise<Joined> {
    try {
      return await join(this.world, wish);
    } catch (error) {
      // What they filled in went when the digits were shown: they are told where it began.
      if (this.world.board.view().stage.name === "matching") await this.#welcome(forPerson(error).message);
      throw error;
    }
  }

  confirmRecovery(typed: string): void {
    const { board, visitors } = this.world;
    const { stage, me } = board.view();
    if (stage.name !== "recovery" || !me) return;
    if (recoveryKeys(typed).auth !== recoveryKeys(stage.code).auth) throw new ForPerson(WRONG_CODE);
    visitors.confirmRecovery(me.account);
    board.show({ stage: HOME });
  }

  async login(handle: string, password: string): Promise<void> {
    const name = typedHandle(handle, WRONG_LOGIN);
    if (password === "") throw new ForPerson(WRONG_LOGIN);
    const salt = await this.world.gateway.salt(name);
    const { auth, wrap } = await derivePassword(password, unb64url(salt, "salt"));
    await this.#enter(await this.#loggedIn(name, auth, WRONG_LOGIN), wrap);
  }

  async loginWithRecovery(handle: string, code: string, wanted: string): Promise<void> {
    checkNewPassword(wanted);
    const keys = recoveryKeys(code);
    const name = typedHandle(handle, WRONG_RECOVERY);
    const me = await this.#loggedIn(name, keys.auth, WRONG_RECOVERY);
    if (!(await this.#enter(me, keys.wrap)))
      throw new ForPerson("The recovery code lets you in, but it does not open the backup of your keys.");
    if (!this.#session) return;
    try {
      await this.#setPassword(keys, wanted);
    } catch (error) {
      // They are in, and what they typed is no longer on the screen.
      if (this.#session) this.world.board.complain(`You are logged in. ${forPerson(error).message}`);
    }
  }

  /** With a key that opens the backup, for a browser that is logged in and has no keys. */
  async restore(secret: { password: string } | { recovery: string }): Promise<void> {
    try {
      const wrap =
        "password" in secret ? await this.#wrapOf(secret.password) : recoveryKeys(secret.recovery).wrap;
      const opened = await this.#enter(await this.world.gateway.check(), wrap);
      if (!opened) throw new ForPerson("This does not open the backup of your keys.");
    } catch (error) {
      if (!hasEnded(error)) throw error;
      await this.#welcome(forPerson(error).message);
    }
  }

  async #wrapOf(password: string): Promise<Bytes> {
    return (await checkPassword(cardOf(await askProfile(this.world)), password)).wrap;
  }

  async #loggedIn(handle: string, auth: string, wrong: string): Promise<MeAnswer> {
    try {
      const me = await this.world.gateway.login(handle, auth);
      // It ended the session that this browser had before.
      this.world.visitors.endLeaving();
      return me;
    } catch (error) {
      throw hasEnded(error) ? new ForPerson(wrong) : error;
    }
  }

  /**
   * Whoever is logged in comes in, to `stage`, if this browser has their keys or `wrap` opens their backup. Says whether
   * it is so.
   */
  async #enter(answer: MeAnswer, wrap: Bytes | null, stage: Stage = this.#stageToKeep()): Promise<boolean> {
    const { board, visitors } = this.world;
    const handle = answer.handle ?? answer.account;
    const me: Me = { ...answer, handle, name: answer.name ?? answer.account };
    // Another tab of this browser logged somebody else in.
    if (this.#session && this.#session.me.account !== me.account) await this.#leave(STARTING, "connecting");
    const store = await openStore(me.account);
    try {
      if (!(await store.keyring()) && !(wrap && (await restoreKeys(this.world, answer, wrap, store)))) {
        store.close();
        const lost = visitors.hadKeys(me.account);
        board.show({ me, lamp: "connecting", stage: { name: "restore", handle, lost } });
        return false;
      }
      visitors.remember({ account: me.account, handle });
      await this.#begin(store, me, stage);
    } catch (error) {
      store.close();
      throw error;
    }
    return true;
  }

  /** A session that is begun anew leaves the person where they are. */
  #stageToKeep(): Stage {
    const { stage } = this.world.board.view();
    return this.#session && stage.name === "recovery" ? stage : HOME;
  }

  async #begin(store: Store, me: Me, stage: Stage): Promise<void> {
    const { board, visitors } = this.world;
    let session: Session;
    try {
      session = await this.open(this.world, store, me, (ending) => void this.#over(store, ending));
    } catch (error) {
      if (!(error instanceof TwoHistories)) throw error;
      await this.#halt(store);
      return;
    }
    this.#attempt += 1;
    const before = this.#session;
    this.#session = session;
    this.#ending = null;
    board.show({ me, stage: this.#lock.stage(me, stage), ...(before ? {} : { lamp: "connecting" }) });
    if (stage.name === "home" && visitors.owesRecovery(me.account)) board.complain(OWES_RECOVERY);
    session.start();
    await before?.stop();
  }

  // Passwords

  async changePassword(old: string, wanted: string): Promise<void> {
    checkNewPassword(wanted);
    await this.#setPassword(await keysOf(this.world, this.session, old), wanted);
  }

  /** The session in which it is done ends by it: the one that it begins takes its place, in all tabs. */
  async #setPassword(keys: DerivedKeys, wanted: string): Promise<void> {
    await this.world.turns.take(CHANGING, async () => {
      const isOver = () => this.#ending === LOGIN_CHANGED;
      try {
        await this.#enter(await setPassword(this.world, this.session, keys, wanted, isOver), null);
      } catch (error) {
        if (error instanceof PasswordChanged) await this.#welcome(error.message);
        throw error;
      }
    });
  }

  async renewRecovery(password: string): Promise<string> {
    const code = await renewRecovery(this.world, this.session, password);
    this.world.visitors.confirmRecovery(this.session.me.account);
    return code;
  }

  // Locked

  lock(): void {
    this.#lock.lock();
  }

  unlock(password: string): Promise<void> {
    return this.#lock.unlock(password);
  }

  /** Another tab changed what is kept in this browser. */
  follow(): void {
    if (this.#session) this.#lock.follow();
  }

  // Out

  /** It is done here at once, and at the gateway as soon as it answers: by the next page, if this one is closed. */
  async logout({ forget }: { forget: boolean }): Promise<void> {
    const { board, visitors } = this.world;
    visitors.beginLeaving({ account: board.view().me?.account ?? null, forget });
    visitors.unlock();
    await this.#leave(STARTING, "connecting");
    await this.#settle(null);
  }

  async #finishLeaving(): Promise<void> {
    const { gateway, visitors } = this.world;
    const leaving = visitors.leaving();
    if (!leaving) return;
    if (leaving.forget && leaving.account !== null) {
      await forgetStore(leaving.account);
      visitors.forget(leaving.account);
    }
    await gateway.logout().catch((error: unknown) => {
      if (!hasEnded(error)) throw error;
    });
    visitors.endLeaving();
  }

  /** Nothing of who was here is shown, or sounds, any more. */
  async #leave(stage: Stage, lamp: Lamp): Promise<void> {
    this.#attempt += 1;
    const session = this.#session;
    // What is on the screen asks the session: both go at once.
    this.#session = null;
    this.world.board.clear();
    this.world.board.show({ stage, lamp });
    await session?.stop();
  }

  async #over(store: Store, ending: Ending): Promise<void> {
    if (this.#session?.store !== store) return;
    if (ending.because === "two-histories")
      return await this.#halt(store).catch((error: unknown) =>
        this.world.board.complain(forPerson(error).message),
      );
    this.#ending = ending.detail;
    // Perhaps there is a newer session already, of this tab or another one.
    this.world.board.show({ lamp: "connecting" });
    await this.#settle(wordsOfEnding(ending.detail));
  }

  /** The gateway was caught: nothing goes on. */
  async #halt(store: Store): Promise<void> {
    const evidence = await store.evidence();
    store.close();
    if (!evidence)
      throw new ForPerson("This gateway contradicted itself, and this browser has no proof of it.");
    await this.#leave({ name: "two-histories", evidence }, "ended");
  }

  async #welcome(reason: string | null): Promise<void> {
    const { visitors } = this.world;
    visitors.unlock();
    await this.#leave({ name: "welcome", reason, handle: visitors.last()?.handle ?? null }, "ended");
  }
}

function typedHandle(handle: string, wrong: string): string {
  const name = handle.trim().toLowerCase();
  if (name === "") throw new ForPerson(wrong);
  return name;
}
