/** Deeds: what a person does in a session. Each becomes an entry in the outbox, or a look at what is there. */

import type { AccountId, PartyId } from "../model";
import { makeBody, refOf } from "../proto/body";
import { MAX_FILE_BYTES, type Said, writeFile, writeText } from "../proto/content";
import { newEntryId, parseEntry, type Says } from "../proto/entry";
import { seal } from "../proto/sealing";
import type { Directory } from "./directory";
import type { TitleOf } from "./episodes";
import { ForPerson, forPerson, Problem } from "./errors";
import type { Friends } from "./friends";
import type { Gateway } from "./gateway";
import type { Ledger } from "./ledger";
import type { Opener } from "./opener";
import type { Outbox } from "./outbox";
import { type ProofParts, prove } from "./proof";
import type { SessionActions } from "./session";
import type { Keyring } from "./store";

const MISSING = 404;

type Answer = "taken" | "released" | "resolved";

export interface DeedParts extends ProofParts {
  me: AccountId;
  keyring: Keyring;
  gateway: Pick<Gateway, "block" | "lookUp">;
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

  async function write(to: PartyId, said: Sent): Promise<void> {
    const { cty, content } = await contentOf(said);
    const addressee = await directory.addressee(to);
    const [{ signing, sealing }] = parts.keyring;
    const id = newEntryId(parts.now());
    const recipients = [...addressee.keys, sealing.public];
    const sealed = await seal(content, { cty, iss: me, skid: signing.kid, mid: id, recipients });
    const body = makeBody(sealed.body);
    const re = said.re === undefined ? {} : { re: said.re };
    const { commitment } = sealed;
    await outbox.queue({ type: "message", to: addressee.to, commitment, body: refOf(body), ...re }, body, id);
  }

  async function answer(key: string, state: Answer): Promise<void> {
    const view = ledger.episode(key)?.view(parts.titleOf);
    if (!view) throw new ForPerson("There is no such alert any more.");
    const about = view.message;
    // Who presses twice says it once.
    const isSaid = outbox.waiting.some(({ parcel, refused }) => {
      const { entry } = parseEntry(parcel.entry);
      return !refused && entry.type === "status" && entry.about === about && entry.state === state;
    });
    if (!isSaid) await outbox.queue({ type: "status", about, state });
  }

  async function contact(action: "request" | "accept" | "remove", peer: PartyId): Promise<void> {
    await outbox.say({ type: "contact", action, peer } satisfies Says);
    await friends.refresh();
  }

  const actions: SessionActions = {
    conversation: (party) => ledger.conversation(party),
    open: (id) => opener.open(id),
    opened: (id) => opener.opened(id),
    send: (to, said) => {
      const sending = writing.then(() => write(to, said));
      writing = sending.catch(() => undefined);
      return sending;
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
    snooze: notYet,
    drill: notYet,
    takeShift: notYet,
    limits: notYet,
    setLimits: notYet,
    alarmLoad: notYet,
    contracts: notYet,
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

async function notYet(): Promise<never> {
  throw new ForPerson("This page cannot do it yet.");
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
