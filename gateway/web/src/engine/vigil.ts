/**
 * The vigil: what has to be known about alerts beyond their own entries. Who is on duty, what the gateway says of
 * escalations, alerts that came to concern us later, and who lacks what we can open.
 */

import type { AccountId, EntryId } from "../model";
import { FORWARD } from "../proto/forward";
import type { Directory } from "./directory";
import type { AlertLine } from "./documents";
import type { Duty } from "./duty";
import type { Around, Outlook, TitleOf } from "./episodes";
import { Problem, Untrusted } from "./errors";
import type { Friends } from "./friends";
import type { Gateway } from "./gateway";
import type { Ledger } from "./ledger";
import type { Row } from "./lines";
import type { Opener } from "./opener";
import { Refresh } from "./refresh";
import type { Resealing } from "./resealing";
import type { Sync } from "./sync";

/** Entries may come in quick succession. */
const PAUSE_MS = 1_000;
const RECENT_MS = 24 * 60 * 60 * 1000;
/** The longest that a browser's timer can wait. */
const MOST_MS = 2 ** 31 - 1;

export interface VigilParts {
  me: AccountId;
  gateway: Pick<Gateway, "alerts" | "alertEntries" | "duty">;
  directory: Pick<Directory, "ask" | "party">;
  duty: Duty;
  ledger: Ledger;
  friends: Pick<Friends, "isMember">;
  opener: Pick<Opener, "forget">;
  sync: Pick<Sync, "takeAside">;
  resealing: Resealing;
  now(): number;
  /** Something changed that is shown. */
  changed(): void;
  /** Something that the person has to know. */
  complain(text: string): void;
  /** Nobody waits for it. */
  background(work: Promise<unknown>): void;
}

export class Vigil {
  /** By the first message. */
  readonly #outlooks: Outlooks;
  /** Alerts that the gateway does not let us have. */
  #refused = new Set<EntryId>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #alerts = new Refresh(() => this.#askAlerts(), PAUSE_MS);
  readonly #duty = new Refresh(() => this.#askDuty(), PAUSE_MS);

  constructor(
    private readonly parts: VigilParts,
    outlooks: Outlooks,
  ) {
    this.#outlooks = outlooks;
  }

  start(): void {
    const { resealing, background } = this.parts;
    background(resealing.lead(() => background(this.#reseal())));
  }

  /** Everything is to be asked for: we are connected. */
  connected(): void {
    this.#refused.clear();
    this.#ask(this.#alerts, this.#duty);
  }

  /** What an entry changes. */
  follow(row: Row): void {
    const { opener, ledger } = this.parts;
    if (row.type === "message" && row.cty === FORWARD && row.re !== null) {
      opener.forget(row.re);
      ledger.reopen(row.re);
    }
    if (isOfAlerts(row)) this.#ask(this.#alerts);
    if (isOfDuty(row)) this.#ask(this.#alerts, this.#duty);
  }

  /** Looks again when a shift begins or ends, or a snooze does. */
  wait(): void {
    clearTimeout(this.#timer);
    const now = this.parts.now();
    const snoozes = this.parts.ledger.alerts(now).flatMap(({ snoozed }) => snoozed?.until ?? []);
    const change = this.parts.duty.nextChange(now);
    const next = Math.min(...snoozes, change ?? Number.POSITIVE_INFINITY);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        if (next === change) this.#ask(this.#duty);
        this.parts.changed();
      },
      Math.min(Math.max(next - now, 0) + 1, MOST_MS),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.parts.resealing.stop();
  }

  #ask(...what: readonly Refresh[]): void {
    for (const each of what) this.parts.background(each.now());
  }

  async #askAlerts(): Promise<void> {
    const { gateway, ledger, now, changed } = this.parts;
    const lines = await gateway.alerts();
    this.#outlooks.learn(lines, now());
    ledger.relook();
    changed();
    const wanted = new Set([...ledger.missing(), ...lines.map(({ id }) => id)]);
    for (const id of wanted) if (!ledger.message(id) && !this.#refused.has(id)) await this.#fetch(id);
    await this.#reseal();
  }

  /** An alert that was not sent to us: a step named us, or we came into its group. */
  async #fetch(id: EntryId): Promise<void> {
    const { gateway, sync } = this.parts;
    try {
      await sync.takeAside(await gateway.alertEntries(id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#refused.add(id);
      this.#tellOf(id);
    }
  }

  /** An admin is told that nobody answered, also of what is not theirs to see. */
  #tellOf(id: EntryId): void {
    const { ledger, now, complain } = this.parts;
    const at = ledger.unansweredAt(id);
    if (at === null || now() - at > RECENT_MS) return;
    const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    complain(`At ${time}, nobody had answered an alert. You may not see what it is: ask those on duty now.`);
  }

  async #askDuty(): Promise<void> {
    const { me, gateway, directory, duty, ledger, now, changed, background } = this.parts;
    const answer = await gateway.duty();
    duty.learn(answer, now());
    ledger.relook();
    changed();
    // Not everybody in a group is a contact of ours, and each has a name.
    const members = new Set(answer.groups.flatMap((group) => group.members));
    for (const account of members)
      if (account !== me && !directory.party(account)) background(this.#askName(account));
    await this.#reseal();
  }

  /** Whom we have nothing to do with stays without a name. */
  async #askName(account: AccountId): Promise<void> {
    try {
      await this.parts.directory.ask(account);
    } catch (error) {
      if (!(error instanceof Untrusted)) throw error;
    }
  }

  async #reseal(): Promise<void> {
    const { ledger, resealing, now } = this.parts;
    await resealing.tidy();
    for (const alert of ledger.alerts(now())) if (alert.open) await resealing.consider(alert);
  }
}

/** What the gateway said last of the alerts that are open, or were until lately. */
export class Outlooks {
  #byAlert = new Map<EntryId, Outlook>();

  learn(lines: readonly AlertLine[], now: number): void {
    this.#byAlert = new Map(lines.map((line) => [line.id, outlookOf(line, now)]));
  }

  of(alert: EntryId): Outlook | undefined {
    return this.#byAlert.get(alert);
  }
}

function outlookOf({ steps, concerns, lap, step, nobody, due_in }: AlertLine, now: number): Outlook {
  return { steps, concerns, step, nobody, lap: lap ?? 0, due: due_in === null ? null : now + due_in };
}

/** How alerts are seen by us. Where it is not known who is on duty, we are: an alert is heard rather than not. */
export function aroundOf(
  me: AccountId,
  titleOf: TitleOf,
  duty: Duty,
  friends: () => Pick<Friends, "isMember">,
  outlooks: Outlooks,
): Around {
  return {
    titleOf,
    isOn: (party) => party === me || (duty.isOn(party) ?? (!duty.isKnown || friends().isMember(party))),
    outlook: (alert) => outlooks.of(alert),
  };
}

function isOfAlerts(row: Row): boolean {
  if (row.type === "tick") return true;
  if (row.type === "message") return row.alert !== null;
  if (row.type === "status") return row.state !== "seen";
  return row.type === "other" && row.says === "contract";
}

function isOfDuty(row: Row): boolean {
  return row.type === "other" && ["shift", "group", "revoke"].includes(row.says);
}
