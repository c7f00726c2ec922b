/**
 * What stands between people and a town: logins, sessions by cookie, and join codes, as `gateway/rest` has them. Each
 * browser has a cookie, a store, and locks of its own, and any number of tabs.
 */

import "fake-indexeddb/auto";
import { expect, vi } from "vitest";
import { Board } from "../../src/engine/board";
import { newCredentials } from "../../src/engine/credentials";
import { Door } from "../../src/engine/door";
import { Gateway } from "../../src/engine/gateway";
import { openSession, type Session } from "../../src/engine/session";
import { Store } from "../../src/engine/store";
import { type Shelf, Visitors } from "../../src/engine/visitors";
import type { World } from "../../src/engine/world";
import type { View } from "../../src/model";
import { type Card, makeBody, readCard, refOf, writeCard } from "../../src/proto/body";
import { canonical, utf8 } from "../../src/proto/encoding";
import { type Alert, newEntryId, parseEntry } from "../../src/proto/entry";
import { codeHash, formatJoinCode, newJoinSecret } from "../../src/proto/joincode";
import type { Keys } from "../../src/proto/keyfile";
import { verifierOf } from "../../src/proto/password";
import type { Parcel } from "../../src/proto/wire";
import { type Name, PUBLISHED, person } from "../proto/people";
import { FairTurns, newBrowser } from "./room";
import type { Town } from "./town";

export const PASSWORD = "correct horse battery";

export const ALERT: Alert = {
  episode: "AAAAAAAAAAAAAAAAAAAAAA",
  kind: "physiological",
  priority: "high",
  state: "start",
};

/** What the gateway says of a session that is over, in `gateway/rest/desk.py`. */
export const ENDED = "session: it has ended; log in again";
export const REVOKED = "account: it was ended by an administrator";
export const CHANGED = "session: the login it was begun with was changed since; log in again";

/** To stretch a password takes a while: each is stretched once. */
const made = new Map<string, ReturnType<typeof newCredentials>>();

function credentialsOf(name: Name, password: string) {
  const key = `${name} ${password}`;
  const file = utf8(canonical(PUBLISHED.accounts[name]));
  const credentials = made.get(key) ?? newCredentials(file, password);
  made.set(key, credentials);
  return credentials;
}

interface Cookie {
  account: string;
  verifier: string;
}

interface Invite {
  id: string;
  handle: string;
  usedBy: string | null;
  match: boolean;
}

/** Under which digits are made. */
export const NONCE = "A".repeat(22);

/** Somebody who can log in. */
export interface Enrolled {
  keys: Keys;
  handle: string;
  recovery: string;
}

export class Lobby {
  /** What was asked, in order. */
  readonly asked: string[] = [];
  /** Answers a question in the gateway's place. */
  instead: (asked: string) => Response | null = () => null;
  /** What happens after a question took effect, before it is answered. */
  meanwhile: (asked: string) => void | Promise<void> = () => undefined;
  readonly revoked = new Set<string>();
  /** What is to be compared with whom: by the account that waits, whether an admin has confirmed its digits. */
  readonly matching = new Map<string, boolean>();
  readonly #invites = new Map<string, Invite>();

  constructor(readonly town: Town) {}

  /** Somebody who joined elsewhere; `backups` are what their profile has in the place of their own. */
  async enroll(name: Name, password = PASSWORD, backups?: string[]): Promise<Enrolled> {
    const keys = await person(name);
    const { credentials, code } = await credentialsOf(name, password);
    await this.town.join(keys, name);
    const card: Card = { handle: name, name: name.toUpperCase(), ...credentials };
    const body = makeBody(writeCard(backups ? { ...card, backups } : card));
    await this.town.say(keys, { type: "profile", body: refOf(body) }, body);
    return { keys, handle: name, recovery: code };
  }

  /** A join string; with `match`, six digits are compared. */
  invite(handle: string, { match = false } = {}): string {
    const secret = newJoinSecret();
    this.#invites.set(codeHash(secret), { id: newEntryId(this.town.clock), handle, usedBy: null, match });
    return formatJoinCode({ host: "localhost", port: 8080, pin: this.town.pin, secret });
  }

  /** Ends the sessions of an account, and tells its pages. */
  end(account: string, detail = ENDED): void {
    for (const jar of this.#jars) if (jar.cookie?.account === account) jar.cookie = null;
    this.town.tell("end", { detail });
  }

  revoke(account: string): void {
    this.revoked.add(account);
    this.town.tell("end", { detail: REVOKED });
  }

  /** The card of an account, as the chain has it. */
  card(account: string): Card | null {
    const { body } = this.town.entries[this.#profile(account)] ?? {};
    return body === undefined ? null : readCard(body);
  }

  #profile(account: string): number {
    return this.town.entries.findLastIndex(
      ({ entry }) => entry.type === "profile" && entry.author === account,
    );
  }

  readonly #jars = new Set<{ cookie: Cookie | null }>();

  /** What `fetch` is for one browser. */
  browser(): typeof fetch {
    const jar: { cookie: Cookie | null } = { cookie: null };
    this.#jars.add(jar);
    return async (input, init = {}) => {
      const { pathname } = new URL(String(input), "http://town");
      const asked = `${init.method} ${pathname}`;
      this.asked.push(asked);
      if (this.town.down) throw new TypeError("Failed to fetch");
      const answer = this.instead(asked) ?? (await this.#answer(jar, asked, String(input), init));
      await this.meanwhile(asked);
      if (this.town.down) throw new TypeError("Failed to fetch");
      return answer;
    };
  }

  async #answer(
    jar: { cookie: Cookie | null },
    asked: string,
    input: string,
    init: RequestInit,
  ): Promise<Response> {
    const body: unknown = init.body ? JSON.parse(String(init.body)) : null;
    switch (asked) {
      case "GET /v1/site":
        return Response.json(await this.town.site());
      case "POST /v1/invites":
        return this.#invited(body as { code: string });
      case "POST /v1/login/salt": {
        const login = this.#named((body as { handle: string }).handle)?.card.login;
        return Response.json({ salt: login?.salt ?? "A".repeat(22) });
      }
      case "POST /login":
        return this.#logIn(jar, body as { handle: string; key: string });
      case "POST /v1/accounts":
        return await this.#register(body as Parcel, init);
    }
    const bearer = new Headers(init.headers).has("Authorization");
    const author = bearer ? parseEntry((body as Parcel).entry).entry.author : null;
    const refused = author ? null : this.#refusal(jar.cookie);
    if (refused !== null) return problem(401, refused);
    const account = author ?? jar.cookie?.account ?? "";
    switch (asked) {
      case "POST /logout":
        jar.cookie = null;
        return new Response(null, { status: 204 });
      case "GET /check":
        return this.#me(account);
      case "GET /v1/profile":
        return Response.json(await this.town.delivered(this.#profile(account)));
    }
    return await this.town.browser(account)(input, init);
  }

  /** Why a cookie opens nothing. */
  #refusal(cookie: Cookie | null): string | null {
    if (!cookie) return ENDED;
    if (this.revoked.has(cookie.account)) return REVOKED;
    const login = this.card(cookie.account)?.login;
    return login && [login.verifier, login.recovery].includes(cookie.verifier) ? null : CHANGED;
  }

  #named(handle: string): { account: string; card: Card } | null {
    for (const account of this.town.accounts.keys()) {
      const card = this.card(account);
      if (card?.handle === handle && !this.revoked.has(account)) return { account, card };
    }
    return null;
  }

  #logIn(jar: { cookie: Cookie | null }, { handle, key }: { handle: string; key: string }): Response {
    const found = this.#named(handle);
    const verifier = verifierOf(key);
    const login = found?.card.login;
    if (!found || !login || ![login.verifier, login.recovery].includes(verifier))
      return problem(401, "login: handle, password or recovery code is wrong");
    jar.cookie = { account: found.account, verifier };
    return this.#me(found.account);
  }

  #me(account: string): Response {
    const { handle = null, name = null } = this.card(account) ?? {};
    return Response.json({ account, handle, name, role: "member", expires: this.town.clock + 1_000 });
  }

  #invited({ code }: { code: string }): Response {
    const invite = this.#invites.get(codeHash(code));
    if (!invite || invite.usedBy) return problem(404, "join code: unknown, used already, or expired");
    const { id, handle } = invite;
    return Response.json({ id, handle, kind: "person", role: "member", expires: this.town.clock + 1_000 });
  }

  async #register(parcel: Parcel, init: RequestInit): Promise<Response> {
    const { entry } = parseEntry(parcel.entry);
    if (entry.type !== "account") return problem(403, "only an account entry comes without a login");
    const invite = this.#invites.get(codeHash(entry.code ?? ""));
    if (!invite || (invite.usedBy ?? entry.author) !== entry.author)
      return problem(403, "this join code was used already", "invite");
    if (invite.match && !this.matching.get(entry.author)) {
      this.matching.set(entry.author, false);
      return Response.json({ nonce: NONCE }, { status: 202 });
    }
    if (!this.town.accounts.has(entry.author)) this.town.seat(entry.author, invite.handle);
    const answer = await this.town.browser(entry.author)("/v1/entries", init);
    if (answer.ok) invite.usedBy = entry.author;
    return answer;
  }
}

export function problem(status: number, detail: string, rule?: string): Response {
  const type = "urn:blockpost:problem:refused";
  return Response.json({ type, title: "no", status, detail, ...(rule ? { rule } : {}) }, { status });
}

/** The machine may be busy: what is waited for is said, and not for how long. */
export const eventually = <T>(check: () => T | Promise<T>) =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 });

export const stage = (page: Page) => page.view().stage;
export const troubles = (page: Page) => page.view().troubles.map(({ text }) => text);
export const isLive = (page: Page) =>
  eventually(() => expect(page.view()).toMatchObject({ stage: { name: "home" }, lamp: "live" }));

export interface Page {
  door: Door;
  /** The tab is closed, or has no power any more: nothing that it began comes to an end. */
  vanish(): Promise<void>;
  world: World;
  view(): View;
  /** Every lamp that it showed. */
  lamps: string[];
}

/** A browser that is new to everybody; `page` opens one more tab of it. */
export class Tablet {
  readonly kept = new Map<string, string>();
  readonly pages: Page[] = [];
  readonly #fetch: typeof fetch;
  #turns = new FairTurns();

  constructor(readonly lobby: Lobby) {
    newBrowser();
    this.#fetch = lobby.browser();
  }

  page(): Page {
    const { town } = this.lobby;
    const { kept } = this;
    const shelf: Shelf = {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    };
    let gone = false;
    const fetch: typeof globalThis.fetch = async (...asked) =>
      gone ? await new Promise<Response>(() => undefined) : await this.#fetch(...asked);
    const board = new Board();
    const world: World = {
      gateway: new Gateway(fetch),
      board,
      turns: this.#turns,
      visitors: new Visitors(shelf),
      now: () => town.clock,
    };
    const lamps: string[] = [];
    board.subscribe(() => lamps.push(board.view().lamp));
    let session: Session | null = null;
    const door = new Door(world, async (...given) => {
      session = await openSession(...given);
      return session;
    });
    const vanish = async () => {
      gone = true;
      await session?.stop();
    };
    const page = { door, world, vanish, view: () => board.view(), lamps };
    this.pages.push(page);
    return page;
  }

  /** All of its pages are gone, wherever they were; there is a new one, which does not do anything yet. */
  async reopened(): Promise<Page> {
    await this.close();
    this.#turns = new FairTurns();
    return this.page();
  }

  /** The same, and the page has found out where it is. */
  async restarted(): Promise<Page> {
    const page = await this.reopened();
    await page.door.start();
    return page;
  }

  /** A tab in which nobody is logged in. */
  async opened(): Promise<Page> {
    const page = this.page();
    await page.door.start();
    return page;
  }

  async loggedIn({ handle }: Pick<Enrolled, "handle">, password = PASSWORD): Promise<Page> {
    const page = await this.opened();
    await page.door.login(handle, password);
    return page;
  }

  async close(): Promise<void> {
    for (const page of this.pages.splice(0)) await page.vanish();
  }
}

/** The browser stops at a step of its store, before or after it is done; resolves when it does. */
export function stopAt(
  step: "setMembership" | "replaceCheckpoint" | "setKeyring" | "queue",
  done: boolean,
  after = 0,
) {
  return new Promise<void>((reached) => {
    const real = Store.prototype[step] as (...given: unknown[]) => Promise<unknown>;
    let left = after;
    const stops = async function (this: Store, ...given: unknown[]) {
      if (left > 0) {
        left -= 1;
        return await real.apply(this, given);
      }
      if (done) await real.apply(this, given);
      spy.mockRestore();
      reached();
      return await new Promise(() => undefined);
    };
    const spy = vi.spyOn(Store.prototype, step).mockImplementation(stops as never);
  });
}
