/**
 * A gateway in memory: a real tree, real signatures, the real documents. It lets everybody speak to everybody, and
 * fails as it is told to.
 */

import { type Body, checkBody } from "../../src/proto/body";
import { b64url, base64, canonical, concat, sha256, unb64url, utf8 } from "../../src/proto/encoding";
import {
  bodyOf,
  type Draft,
  type Entry,
  newEntryId,
  newStream,
  parseEntry,
  type Says,
  writeEntry,
} from "../../src/proto/entry";
import { accountId, type SigningKey, signingThumbprint } from "../../src/proto/identity";
import type { Signer } from "../../src/proto/jws";
import { type Keys, signerOf } from "../../src/proto/keyfile";
import { EMPTY_ROOT } from "../../src/proto/merkle";
import { type Delivered, makeParcel, type Parcel, type Party } from "../../src/proto/wire";
import { consistency, inclusion, rootOf } from "./tree";

interface Account {
  /** Unknown of who joined at a page that is tested. */
  keys?: Keys;
  handle: string;
  name: string;
  kind: "person" | "device";
  role: "member" | "admin";
  /** Its account and key entries. */
  entries: number[];
}

interface Committed {
  leaf: string;
  entry: Entry;
  salt: string | undefined;
  body: string | undefined;
  readers: ReadonlySet<string>;
  committed: number;
}

/** What is usually left to chance, or left open. */
type More = Partial<Pick<Draft, "id" | "seen">>;

interface Refused {
  rule: string;
  detail: string;
}

interface Listener {
  account: string;
  out: ReadableStreamDefaultController<Uint8Array>;
}

const STATUS: Record<string, number> = { history: 409, sequence: 409, replay: 409, malformed: 400 };

export class Town {
  readonly origin: string;
  readonly accounts = new Map<string, Account>();
  readonly groups = new Map<string, string[]>();
  /** Who is on duty where, by the entries. */
  shifts: { party: string; account: string; begins: number; ends: number }[] = [];
  /** What `GET /v1/alerts` answers, by account. */
  readonly alerts = new Map<string, object[]>();
  /** What alerts escalate by: what is added to an intent with a header. */
  escalation: { contract: string; parties: readonly string[] } | null = null;
  /** Answers by path that are as they are. */
  readonly documents = new Map<string, unknown>();
  readonly blocks: { first: number; size: number; header: Record<string, unknown> }[] = [];
  entries: Committed[] = [];
  /** What was asked, in order. */
  readonly asked: string[] = [];
  clock = 1_800_000_000_000;

  /** There is no answer at all. */
  down = false;
  /** So many entries are committed without an answer that arrives. */
  lostAnswers = 0;
  /** So many questions are answered with 503. */
  busy = 0;
  refuse: (entry: Entry) => Refused | null = () => null;
  readonly loggedOut = new Set<string>();

  #listeners = new Set<Listener>();
  #seqs = new Map<string, number>();

  private constructor(
    private readonly pair: CryptoKeyPair,
    readonly key: SigningKey,
  ) {
    this.origin = `ward.example/${accountId(key)}`;
  }

  static async found(): Promise<Town> {
    const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const { x = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const town = new Town(pair, { crv: "Ed25519", kty: "OKP", x });
    const says: Says = { type: "account", kind: "service", role: "gateway", sign: town.key };
    await town.#commit(await town.#leaf(says, town.gateway, signingThumbprint(town.key), town.#sign));
    return town;
  }

  /** What join codes name it by, if not by its own key. */
  root: string | null = null;

  get pin(): string {
    return this.root ?? this.gateway;
  }

  get gateway(): string {
    return accountId(this.key);
  }

  // Who is there

  async join(keys: Keys, handle: string, kind: Account["kind"] = "person", role: Account["role"] = "member") {
    this.accounts.set(keys.account, { keys, handle, name: handle.toUpperCase(), kind, role, entries: [] });
    const { signing, sealing } = keys;
    await this.say(keys, { type: "account", kind, role, sign: signing.public, seal: sealing.public });
  }

  /** Somebody who is about to join at a page. */
  seat(account: string, handle: string): void {
    const card = { handle, name: handle.toUpperCase() };
    this.accounts.set(account, { ...card, kind: "person", role: "member", entries: [] });
  }

  /** An entry by somebody who is not at a page that is tested. */
  async say(keys: Keys, says: Says, body?: Body, more?: More): Promise<Committed> {
    const leaf = await this.#leaf(says, keys.account, keys.signing.kid, signerOf(keys), more);
    return await this.#commit(leaf, makeParcel(leaf, body));
  }

  /** An entry by the gateway itself, which these accounts are told of. */
  async tick(did: (Entry & { type: "tick" })["did"], readers: readonly string[]): Promise<void> {
    const says: Says = { type: "tick", now: this.clock, did };
    const leaf = await this.#leaf(says, this.gateway, signingThumbprint(this.key), this.#sign);
    await this.smuggle(leaf, readers);
  }

  #leaf(says: Says, author: string, kid: string, signer: Signer, more: More = {}): Promise<string> {
    const draft = {
      ...{
        says,
        author,
        origin: this.origin,
        stream: newStream(),
        seq: 1,
        at: this.clock,
        clock: "free" as const,
      },
      seen: { size: 0, root: b64url(EMPTY_ROOT) },
      id: newEntryId(this.clock),
      ...more,
    };
    return writeEntry(draft, kid, signer);
  }

  #sign = async (message: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.sign("Ed25519", this.pair.privateKey, message));

  // The chain

  get leaves(): string[] {
    return this.entries.map(({ leaf }) => leaf);
  }

  async checkpoint(size = this.entries.length): Promise<string> {
    const text = `${this.origin}\n${size}\n${base64(rootOf(this.leaves.slice(0, size)))}\n`;
    const key = unb64url(this.key.x);
    const id = sha256(utf8(`${this.origin}\n`), Uint8Array.of(1), key).slice(0, 4);
    return `${text}\n— ${this.origin} ${base64(concat(id, await this.#sign(utf8(text))))}\n`;
  }

  async receipt(index: number): Promise<string> {
    const path = inclusion(index, this.leaves).map((hash) => `${base64(hash)}\n`);
    return `c2sp.org/tlog-proof@v1\nindex ${index}\n${path.join("")}\n${await this.checkpoint()}`;
  }

  async delivered(index: number): Promise<Delivered> {
    const { leaf, salt, body, committed } = this.#at(index);
    const receipt = await this.receipt(index);
    const beside = salt === undefined || body === undefined ? {} : { salt, body };
    return { index, entry: leaf, receipt, committed, ...beside };
  }

  /** Replaces the past by another one: from here on the gateway contradicts itself. */
  rewrite(index: number, leaf: string): void {
    this.entries[index] = { ...this.#at(index), leaf };
  }

  /** Puts an entry on the chain that nobody checked. */
  async smuggle(leaf: string, readers: readonly string[]): Promise<void> {
    const { entry } = parseEntry(leaf);
    await this.#append({
      leaf,
      entry,
      salt: undefined,
      body: undefined,
      readers: new Set(readers),
      committed: this.clock,
    });
  }

  #at(index: number): Committed {
    const entry = this.entries[index];
    if (!entry) throw new Error(`no entry ${index}`);
    return entry;
  }

  async #commit(leaf: string, parcel: Parcel = { entry: leaf }): Promise<Committed> {
    const { entry } = parseEntry(leaf);
    const ref = bodyOf(entry);
    if (ref) checkBody(ref, parcel.salt ?? "", parcel.body ?? "");
    this.#seqs.set(`${entry.author} ${entry.stream}`, entry.seq);
    const { salt, body } = parcel;
    const committed = { leaf, entry, salt, body, readers: this.#readers(entry), committed: this.clock };
    await this.#append(committed);
    return committed;
  }

  async #append(committed: Committed): Promise<void> {
    const index = this.entries.push(committed) - 1;
    const { entry } = committed;
    if (entry.type === "account") this.accounts.get(entry.author)?.entries.push(index);
    if (entry.type === "key") this.accounts.get(entry.account)?.entries.push(index);
    if (entry.type === "shift") this.#plan(entry);
    if (entry.type === "redact") {
      const about = this.entries.find((each) => each.entry.id === entry.about);
      if (about) Object.assign(about, { salt: undefined, body: undefined });
    }
    this.#cutBlock(index);
    const listening = [...this.#listeners].filter(({ account }) => committed.readers.has(account));
    const event = `id: ${index}\nevent: entry\ndata: ${JSON.stringify(await this.delivered(index))}\n\n`;
    for (const { out } of listening) out.enqueue(utf8(event));
  }

  #plan({ party, account, instead, begins, ends }: Entry & { type: "shift" }): void {
    this.shifts = this.shifts.filter((shift) => shift.party !== party || shift.account !== instead);
    if (account !== undefined) this.shifts.push({ party, account, begins, ends });
  }

  #cutBlock(index: number): void {
    const header = {
      ...{ v: 1, id: this.blocks.length, timestamp: this.clock, first: index, count: 1, size: index + 1 },
      root: b64url(rootOf(this.leaves)),
      nonce: "AAAAAAAAAAAAAAAAAAAAAA",
    };
    this.blocks.push({ first: index, size: index + 1, header });
  }

  #readers(entry: Entry): Set<string> {
    const of = (to: string) => this.groups.get(to) ?? [to];
    switch (entry.type) {
      case "message":
        return new Set([entry.author, ...of(entry.to)]);
      case "status":
      case "redact": {
        const about = this.entries.find((each) => each.entry.id === entry.about);
        return new Set([entry.author, ...(about?.readers ?? [])]);
      }
      case "contact":
        return new Set([entry.author, entry.peer]);
      case "key":
        return new Set(this.accounts.keys());
      case "shift":
        return new Set([entry.author, ...of(entry.party)]);
      case "group":
        return new Set([entry.author, ...entry.members]);
      default:
        return new Set([entry.author]);
    }
  }

  // Faults

  /** Breaks every event stream. */
  cut(): void {
    for (const { out } of this.#listeners) out.error(new TypeError("network error"));
    this.#listeners.clear();
  }

  get listening(): number {
    return this.#listeners.size;
  }

  tell(name: string, data: unknown): void {
    for (const { out } of this.#listeners)
      out.enqueue(utf8(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  // REST

  /** What `fetch` is for a browser in which `account` is logged in. */
  browser(account: string): typeof fetch {
    return async (input, init) => {
      if (this.down) throw new TypeError("Failed to fetch");
      const url = new URL(String(input), "http://town");
      this.asked.push(`${init?.method} ${url.pathname}`);
      if (this.busy > 0) {
        this.busy -= 1;
        return problem(503, "busy");
      }
      if (this.loggedOut.has(account)) return problem(401, "session: it has ended; log in again");
      const body: unknown = init?.body ? JSON.parse(String(init.body)) : null;
      return await this.#answer(account, url, body, init?.signal ?? null);
    };
  }

  async #answer(me: string, url: URL, body: unknown, signal: AbortSignal | null): Promise<Response> {
    const [, last = ""] = /([^/]*)$/.exec(url.pathname) ?? [];
    switch (url.pathname) {
      case "/check":
        return Response.json({ account: me, ...this.#card(me), role: "member", expires: this.clock + 1_000 });
      case "/checkpoint":
        return new Response(await this.checkpoint());
      case "/friendslist":
        return Response.json({ friends: this.#friends(me) });
      case "/v1/lookup":
        return this.#lookUp((body as { handle: string }).handle);
      case "/v1/site":
        return Response.json(await this.site());
      case "/v1/entries":
        return await this.#submit(me, body as Parcel);
      case "/v1/intents": {
        const { to, alert, re } = body as { to: string; alert?: object; re?: string };
        // As the gateway does, which takes no more than contracts go by.
        if (alert && Object.keys(alert).sort().join() !== "kind,priority") return problem(400, "alert");
        return await this.#intent(me, to, alert !== undefined || re !== undefined);
      }
      case "/v1/alerts":
        return Response.json({ alerts: this.alerts.get(me) ?? [] });
      case "/v1/duty":
        return Response.json(this.#duty(me, Number(url.searchParams.get("after") ?? -1)));
      case "/v1/inbox":
        return await this.#inbox(
          me,
          Number(url.searchParams.get("after")),
          Number(url.searchParams.get("limit")),
        );
      case "/v1/events":
        return await this.#events(me, Number(url.searchParams.get("after")), signal);
      case "/v1/chain/consistency": {
        const size = Number(url.searchParams.get("from"));
        const path = consistency(size, this.leaves.slice(0, Number(url.searchParams.get("to"))));
        return Response.json({ size, path: path.map((hash) => b64url(hash)) });
      }
    }
    const document = this.documents.get(url.pathname);
    if (document !== undefined) return Response.json(document);
    const [, alert] = /^\/v1\/alerts\/(.*)\/entries$/.exec(url.pathname) ?? [];
    if (alert !== undefined) return await this.#alertEntries(alert);
    if (url.pathname.startsWith("/v1/accounts/")) return Response.json(await this.party(last));
    if (url.pathname.startsWith("/v1/chain/blocks/")) return this.#block(Number(last));
    return problem(404, "missing");
  }

  async site() {
    const gateway = await this.delivered(0);
    return {
      origin: this.origin,
      gateway,
      now: this.clock,
      mqtt_host: "localhost",
      mqtt_port: 1883,
      version: "1",
      pin: this.pin,
    };
  }

  #card(account: string) {
    const { handle = null, name = null } = this.accounts.get(account) ?? {};
    return { handle, name };
  }

  #friends(me: string) {
    const others = [...this.accounts].filter(([account]) => account !== me);
    const seen = { live: true, online: false, last_seen: null };
    return [
      ...others.map(([id, { kind }]) => ({ id, kind, state: "contact", ...this.#card(id), ...seen })),
      ...[...this.groups.keys()].map((id) => ({
        id,
        kind: "group",
        state: "member",
        handle: null,
        name: id,
        ...seen,
      })),
    ];
  }

  #lookUp(handle: string): Response {
    const found = [...this.accounts].find(([, account]) => account.handle === handle);
    if (!found) return problem(404, "nobody");
    const [account, { kind, name }] = found;
    return Response.json({ account, kind, handle, name });
  }

  async party(account: string): Promise<Party> {
    const {
      kind = "service",
      role = "gateway",
      entries = [0],
      handle = null,
      name = null,
    } = this.accounts.get(account) ?? {};
    const delivered = await Promise.all(entries.map((index) => this.delivered(index)));
    return { account, kind, role, live: true, entries: delivered, handle, name };
  }

  async #intent(me: string, to: string, withEscalation: boolean): Promise<Response> {
    const answer = await this.#named(me, to);
    if (!withEscalation || !this.escalation) return Response.json(answer);
    const { contract: id, parties } = this.escalation;
    const installed = this.entries.findLastIndex(
      ({ entry }) => entry.type === "contract" && entry.contract === id,
    );
    const escalation = {
      contract: await this.delivered(installed),
      admin: await this.party(this.#at(installed).entry.author),
      parties: await Promise.all(parties.map((party) => this.#named(me, party))),
    };
    return Response.json({ ...answer, escalation });
  }

  async #named(me: string, to: string) {
    const members = this.#members(to).filter((member) => member !== me);
    const recipients = await Promise.all(members.map((member) => this.party(member)));
    const named = this.entries.findLastIndex(({ entry }) => entry.type === "group" && entry.group === to);
    if (named < 0) return { to, recipients, group: null, admin: null };
    const group = await this.delivered(named);
    return { to, recipients, group, admin: await this.party(this.#at(named).entry.author) };
  }

  #members(to: string): readonly string[] {
    return this.groups.get(to) ?? [to];
  }

  /** Who of a group is on duty. */
  #on(to: string): readonly string[] {
    const members = this.#members(to);
    const on = members.filter((member) =>
      this.shifts.some(
        ({ party, account, begins, ends }) =>
          party === to && account === member && begins <= this.clock && this.clock < ends,
      ),
    );
    return on.length > 0 ? on : members;
  }

  /** A page for each group. */
  #duty(me: string, after: number) {
    const mine = [...this.groups].filter(([, members]) => members.includes(me));
    const groups = mine.slice(after + 1, after + 2).map(([id, members]) => {
      const shifts = this.shifts.filter(({ party }) => party === id);
      return { id, name: id, members, on: this.#on(id), shifts };
    });
    return { groups, now: this.clock, next: after + 2 < mine.length ? after + 1 : null };
  }

  async #alertEntries(id: string): Promise<Response> {
    const first = this.entries.find(({ entry }) => entry.id === id)?.entry;
    const episode = first?.type === "message" ? first.alert?.episode : undefined;
    if (episode === undefined) return problem(404, "unknown");
    const ids = new Set<string>();
    const indices = [...this.entries.entries()].flatMap(([index, { entry }]) => {
      const isOf = entry.type === "message" && entry.alert?.episode === episode;
      if (isOf) ids.add(entry.id);
      return isOf || (entry.type === "status" && ids.has(entry.about)) ? index : [];
    });
    return Response.json({ entries: await Promise.all(indices.map((index) => this.delivered(index))) });
  }

  async #submit(me: string, parcel: Parcel): Promise<Response> {
    const { entry } = parseEntry(parcel.entry);
    let index = this.entries.findIndex((each) => each.leaf === parcel.entry);
    if (index < 0) {
      const refused =
        entry.author === me ? this.#refusal(entry) : { rule: "permission", detail: "not yours" };
      if (refused) return problem(STATUS[refused.rule] ?? 403, refused.detail, refused.rule);
      await this.#commit(parcel.entry, parcel);
      index = this.entries.length - 1;
    }
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1;
      throw new TypeError("Failed to fetch");
    }
    return Response.json({ id: entry.id, index, receipt: await this.receipt(index) }, { status: 201 });
  }

  #refusal(entry: Entry): Refused | null {
    if (b64url(rootOf(this.leaves.slice(0, entry.seen.size))) !== entry.seen.root)
      return { rule: "history", detail: "this chain never had that root" };
    if (entry.seq <= (this.#seqs.get(`${entry.author} ${entry.stream}`) ?? 0))
      return { rule: "sequence", detail: "want a higher seq" };
    if (this.entries.some((each) => each.entry.id === entry.id))
      return { rule: "replay", detail: "an entry has this id" };
    return this.refuse(entry);
  }

  #readable(me: string, after: number): number[] {
    return [...this.entries.keys()].filter((index) => index > after && this.#at(index).readers.has(me));
  }

  async #inbox(me: string, after: number, limit: number): Promise<Response> {
    const indices = this.#readable(me, after).slice(0, limit);
    const entries = await Promise.all(indices.map((index) => this.delivered(index)));
    return Response.json({ previous: after, entries });
  }

  async #events(account: string, after: number, signal: AbortSignal | null): Promise<Response> {
    const backlog = await Promise.all(this.#readable(account, after).map((index) => this.delivered(index)));
    const stream = new ReadableStream<Uint8Array>({
      start: (out) => {
        out.enqueue(utf8("retry: 2000\n\n"));
        for (const each of backlog) out.enqueue(utf8(`event: entry\ndata: ${JSON.stringify(each)}\n\n`));
        const listener = { account, out };
        this.#listeners.add(listener);
        signal?.addEventListener("abort", () => {
          if (this.#listeners.delete(listener)) out.error(new DOMException("aborted", "AbortError"));
        });
      },
      cancel: () => {
        for (const listener of this.#listeners)
          if (listener.account === account) this.#listeners.delete(listener);
      },
    });
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  }

  #block(height: number): Response {
    const header = this.blocks[height]?.header;
    if (!header) return problem(404, "no such block");
    const hash = b64url(sha256(utf8(canonical(header))));
    return Response.json({ header, hash, count: 1, entries: [] });
  }
}

function problem(status: number, detail: string, rule?: string): Response {
  const type = "urn:blockpost:problem:refused";
  return Response.json({ type, title: "no", status, detail, ...(rule ? { rule } : {}) }, { status });
}
