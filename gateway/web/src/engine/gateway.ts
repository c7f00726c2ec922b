/** The gateway over REST, as the page asks it: every answer parsed, every failure one of our errors. */

import { readJson } from "../proto/encoding";
import type { Alert } from "../proto/entry";
import type { Shape } from "../proto/shape";
import {
  type Consistency,
  type Delivered,
  type Delivery,
  type Found,
  type Friend,
  type IntentAnswer,
  type Invited,
  type Match,
  type Me,
  type Parcel,
  type Party,
  type Receipted,
  readConsistency,
  readDelivery,
  readFound,
  readFriends,
  readIntentAnswer,
  readInvited,
  readMe,
  readParty,
  readProblem,
  readReceipted,
  readRegistered,
  readSalt,
  readSite,
  type Site,
} from "../proto/wire";
import {
  type AlertLine,
  type Block,
  type DutyAnswer,
  readAlertEntries,
  readAlertPage,
  readBlock,
  readDuty,
} from "./documents";
import { Problem, Unreachable } from "./errors";

const PATIENCE_MS = 10_000;
const BUSY = 503;

export type Method = "GET" | "POST";

/** What an intent is about: an alert to be raised, or one that is open. */
export interface About {
  alert?: Pick<Alert, "kind" | "priority">;
  re?: string;
}

/** Gives the token that says who asks, where the session's cookie does not yet. */
export type Authorize = () => Promise<string>;

/**
 * One gateway. Every call raises `Unreachable` if there is no answer now, `Problem` if the answer is no, and `Malformed`
 * if it is none that we know.
 */
export class Gateway {
  constructor(
    private readonly fetch: typeof globalThis.fetch,
    /** Where it is; empty for where the page came from. */
    private readonly base = "",
    private readonly authorize: Authorize | null = null,
  ) {}

  /** The same gateway, asked with tokens of a key rather than with a session. */
  as(authorize: Authorize): Gateway {
    return new Gateway(this.fetch, this.base, authorize);
  }

  // Coming in

  site(): Promise<Site> {
    return this.ask("GET", "/v1/site", readSite);
  }

  check(): Promise<Me> {
    return this.ask("GET", "/check", readMe);
  }

  invited(code: string): Promise<Invited> {
    return this.ask("POST", "/v1/invites", readInvited, { code });
  }

  async salt(handle: string): Promise<string> {
    return (await this.ask("POST", "/v1/login/salt", readSalt, { handle })).salt;
  }

  login(handle: string, key: string): Promise<Me> {
    return this.ask("POST", "/login", readMe, { handle, key });
  }

  logout(): Promise<void> {
    return this.tell("/logout");
  }

  /** `Match` where an admin has to compare six digits first: then the same is to be asked again. */
  register(parcel: Parcel): Promise<Receipted | Match> {
    return this.ask("POST", "/v1/accounts", readRegistered, parcel);
  }

  // Writing and reading

  submit(parcel: Parcel): Promise<Receipted> {
    return this.ask("POST", "/v1/entries", readReceipted, parcel);
  }

  /** For an `alert` that is to be raised, or about the one that has a message `re`, the answer has its escalation, too. */
  intent(to: string, about: About = {}): Promise<IntentAnswer> {
    return this.ask("POST", "/v1/intents", readIntentAnswer, { to, ...about });
  }

  account(account: string): Promise<Party> {
    return this.ask("GET", `/v1/accounts/${account}`, readParty);
  }

  /** A live account, by its exact handle. */
  lookUp(handle: string): Promise<Found> {
    return this.ask("POST", "/v1/lookup", readFound, { handle });
  }

  async friends(): Promise<Friend[]> {
    return (await this.ask("POST", "/friendslist", readFriends, {})).friends;
  }

  /** Everything that the account may have after `after`, its own entries too. */
  inbox(after: number, limit: number): Promise<Delivery> {
    return this.ask("GET", `/v1/inbox?all=true&after=${after}&limit=${limit}`, readDelivery);
  }

  /** Opens the event stream. It stays open until `signal` says otherwise, or the gateway ends it. */
  async events(after: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: "text/event-stream" };
    const answer = await this.#fetch("GET", `/v1/events?all=true&after=${after}`, headers, undefined, signal);
    if (answer.body === null) throw new Unreachable("the event stream has no body");
    return answer.body;
  }

  // Alerts and duty

  async alerts(): Promise<AlertLine[]> {
    return (await this.ask("GET", "/v1/alerts", readAlertPage)).alerts;
  }

  /** Everything that an alert follows from, by its first message. */
  async alertEntries(id: string): Promise<Delivered[]> {
    return (await this.ask("GET", `/v1/alerts/${id}/entries`, readAlertEntries)).entries;
  }

  /** Of all groups that we may write to. */
  async duty(): Promise<Pick<DutyAnswer, "groups" | "now">> {
    const first = await this.ask("GET", "/v1/duty", readDuty);
    const groups = [...first.groups];
    for (let after = first.next; after !== null; ) {
      const page = await this.ask("GET", `/v1/duty?after=${after}`, readDuty);
      groups.push(...page.groups);
      after = page.next;
    }
    return { groups, now: first.now };
  }

  // The chain

  checkpoint(): Promise<string> {
    return this.#text("GET", "/checkpoint");
  }

  consistency(from: number, to: number): Promise<Consistency> {
    return this.ask("GET", `/v1/chain/consistency?from=${from}&to=${to}`, readConsistency);
  }

  block(height: number): Promise<Block> {
    return this.ask("GET", `/v1/chain/blocks/${height}`, readBlock);
  }

  // How

  /** Asks, and reads the answer. */
  async ask<T>(method: Method, path: string, shape: Shape<T>, body?: unknown): Promise<T> {
    const what = `answer to ${method} ${path.split("?")[0]}`;
    return shape(readJson(await this.#text(method, path, body), what), what);
  }

  /** Asks for something to be done; there is nothing in the answer. */
  async tell(path: string, body: unknown = {}): Promise<void> {
    await this.#text("POST", path, body);
  }

  async #text(method: Method, path: string, body?: unknown): Promise<string> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await this.#fetch(method, path, headers, body, signal);
    return await reachable(answer.text());
  }

  async #fetch(
    method: Method,
    path: string,
    headers: Record<string, string>,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Response> {
    if (this.authorize) headers.Authorization = `Bearer ${await this.authorize()}`;
    const asked = this.fetch(this.base + path, {
      method,
      headers,
      signal,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
    });
    const answer = await reachable(asked);
    if (!answer.ok) throw problemOf(answer.status, await reachable(answer.text()));
    return answer;
  }
}

async function reachable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new Unreachable("there is no answer from the gateway", { cause: error });
  }
}

function problemOf(status: number, answer: string): Problem | Unreachable {
  const { detail, rule = null, refusal = null } = saidIn(answer) ?? { detail: `HTTP status ${status}` };
  return status >= BUSY ? new Unreachable(detail) : new Problem(status, detail, rule, refusal);
}

/** The problem document; null where something between us and the gateway answered in its place. */
function saidIn(answer: string): { detail: string; rule?: string; refusal?: string } | null {
  try {
    return readProblem(readJson(answer, "problem"), "problem");
  } catch {
    return null;
  }
}
