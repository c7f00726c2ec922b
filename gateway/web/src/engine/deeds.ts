/** Deeds: what a person does in a session. Each becomes an entry in the outbox, or a look at what is there. */

import type { AccountId, EntryId, LimitChanges, PartyId, SensorLimits } from "../model";
import { MAX_FILE_BYTES, type Said, writeDrill, writeFile, writeText } from "../proto/content";
import { newEntryId, newStream, parseEntry, type Says, type Status } from "../proto/entry";
import { Malformed } from "../proto/errors";
import { LIMITS, writeLimits } from "../proto/limits";
import type { Directory } from "./directory";
import type { TitleOf } from "./episodes";
import { ForPerson, forPerson, Problem } from "./errors";
import type { Friends } from "./friends";
import type { Gateway } from "./gateway";
import type { Ledger } from "./ledger";
import { type Marks, post } from "./letters";
import type { Opener } from "./opener";
import type { Outbox } from "./outbox";
import { type ProofParts, prove } from "./proof";
import type { SessionActions } from "./session";
import { checkShift } from "./shifts";
import type { Keyring } from "./store";
import { messagesIn } from "./unsent";
import { sensorLimits } from "./watched";

const MISSING = 404;

const MOST_SNOOZE_MS = 24 * 60 * 60 * 1000;

/** A drill is an alert like any other, but for what it says. */
const DRILL_HEADER = { kind: "technical", priority: "medium", state: "start" } as const;

type Answer = "taken" | "released" | "resolved" | "snoozed";
type Snooze = Partial<Pick<Status, "until" | "reason">>;

export interface DeedParts extends ProofParts {
  me: AccountId;
  keyring: Keyring;
  gateway: Pick<Gateway, "ask" | "block" | "lookUp">;
  directory: Directory;
  ledger: Ledger;
  outbox: Outbox;
  opener: Opener;
  friends: Friends;
  titleOf: TitleOf;
  now(): number;
  /** Something changed that is shown. */
  changed(): void;
}

type Sent = Parameters<SessionActions["send"]>[1];

export function deeds(parts: DeedParts): SessionActions {
  const { me, ledger, outbox, opener, directory, friends } = parts;

  /** Messages are sealed one after the other: they are to arrive in the order in which they were written. */
  let writing: Promise<unknown> = Promise.resolve();

  function write(to: PartyId, said: () => Promise<Said> | Said, marks?: Marks): Promise<EntryId> {
    const sending = writing.then(async () =>
      post(await directory.addressee(to, marks?.alert), await said(), parts, marks),
    );
    writing = sending.catch(() => undefined);
    return sending;
  }

  async function answer(key: string, state: Answer, snooze: Snooze = {}): Promise<void> {
    const view = ledger.alert(key, parts.now());
    if (!view) throw new ForPerson("There is no such alert any more.");
    const about = view.message;
    // Who presses twice says it once.
    const isSaid = outbox.waiting.some(({ parcel, refused }) => {
      const { entry } = parseEntry(parcel.entry);
      if (refused || entry.type !== "status" || entry.about !== about) return false;
      return entry.state === state && entry.until === snooze.until;
    });
    if (!isSaid) await outbox.queue({ type: "status", about, state, ...snooze });
  }

  /** Every message about the limits of a device, also what waits to be sent. */
  function limits(device: AccountId): Promise<readonly SensorLimits[]> {
    const waiting = messagesIn(outbox.waiting, me).filter(({ to, cty }) => to === device && cty === LIMITS);
    return sensorLimits([...ledger.limitsOf(device), ...waiting], (id) => opener.open(id), parts.titleOf);
  }

  async function takeShift(party: PartyId, shift: Parameters<SessionActions["takeShift"]>[1]): Promise<void> {
    const { from, begins, ends, note = "" } = shift;
    checkShift(begins, ends);
    const id = newEntryId(parts.now());
    const instead = from === undefined ? {} : { instead: from };
    await outbox.say({ type: "shift", party, account: me, ...instead, begins, ends }, undefined, id);
    if (note.trim() !== "") await write(party, () => writeText(note), { re: id });
  }

  async function contact(action: "request" | "accept" | "remove", peer: PartyId): Promise<void> {
    await outbox.say({ type: "contact", action, peer } satisfies Says);
    await friends.refresh();
  }

  const actions: SessionActions = {
    conversation: (party) => ledger.conversation(party),
    open: (id) => opener.open(id),
    opened: (id) => opener.opened(id),
    send: async (to, said) => {
      await write(to, () => contentOf(said), { re: said.re });
    },
    retry: (id) => outbox.retry(id),
    discard: (id) => outbox.discard(id),
    markRead: async (party) => {
      const unread = ledger.thread(party).toRead();
      // At once, so that who looks twice says it once.
      ledger.readAhead(unread.map(({ id }) => id));
      if (unread.length > 0) parts.changed();
      for (const { id } of unread) await outbox.queue({ type: "status", about: id, state: "seen" });
    },
    proof: (id) => prove(id, parts),
    take: (episode) => answer(episode, "taken"),
    release: (episode) => answer(episode, "released"),
    resolve: (episode) => answer(episode, "resolved"),
    snooze: async (episode, until, reason) => {
      const wait = until - parts.now();
      if (wait <= 0) throw new ForPerson("An alert is left alone until some time to come.");
      if (wait > MOST_SNOOZE_MS) throw new ForPerson("An alert is left alone for 24 hours at most.");
      await answer(episode, "snoozed", { until, reason });
    },
    drill: async (group) => {
      const text = `This is a drill by ${parts.titleOf(me)}. Take it, and resolve it.`;
      await write(group, () => writeDrill(text), { alert: { episode: newStream(), ...DRILL_HEADER } });
    },
    takeShift,
    limits,
    setLimits: async (device, sensor, changes) => {
      if (Object.keys(changes).length === 0) throw new ForPerson("There is nothing to change.");
      await write(device, () => limitsOf(sensor, changes));
    },
    alarmLoad: async () => (await import("./reports")).alarmLoad(parts.gateway, parts.titleOf),
    contracts: async () => (await import("./reports")).contracts(parts.gateway, parts.titleOf),
    befriend: async (handle) => {
      const found = await parts.gateway.lookUp(handle.trim().toLowerCase()).catch(nobody);
      if (found.account === me) throw new ForPerson("This is your own handle.");
      await contact("request", found.account);
    },
    accept: (account) => contact("accept", account),
    unfriend: (party) => contact("remove", party),
    safetyCode: (account) => directory.safetyCode(account),
    setVerified: (account, verified) => directory.setVerified(account, verified),
    acceptKeys: (account) => directory.acceptKeys(account),
    dismissKeyNotice: (account) => directory.dismissNotice(account),
  };
  return actions;
}

function limitsOf(sensor: string, changes: LimitChanges): Said {
  try {
    return writeLimits(sensor, changes);
  } catch (error) {
    throw error instanceof Malformed ? new ForPerson(`No device would take this: ${error.message}.`) : error;
  }
}

async function contentOf({ text, file }: Sent): Promise<Said> {
  if (!file) {
    if (text.trim() === "") throw new ForPerson("There is nothing to send.");
    return writeText(text);
  }
  if (file.size > MAX_FILE_BYTES)
    throw new ForPerson(
      `A file may have at most ${MAX_FILE_BYTES / 1024} kB; this one has ${Math.ceil(file.size / 1024)}.`,
    );
  const bytes = new Uint8Array(await file.arrayBuffer());
  return writeFile({ name: file.name, type: file.type, bytes, text });
}

function nobody(error: unknown): never {
  if (error instanceof Problem && error.status === MISSING)
    throw new ForPerson("There is nobody with this handle.");
  throw forPerson(error);
}
