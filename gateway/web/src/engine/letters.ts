/** Letters: sealed messages, from what is said to an entry in the outbox. */

import type { AccountId, EntryId } from "../model";
import { makeBody, refOf } from "../proto/body";
import type { Said } from "../proto/content";
import { type Alert, newEntryId } from "../proto/entry";
import { seal } from "../proto/sealing";
import type { Addressee } from "./directory";
import type { Outbox } from "./outbox";
import type { Keyring } from "./store";

export interface LetterParts {
  me: AccountId;
  keyring: Keyring;
  outbox: Pick<Outbox, "queue">;
  now(): number;
}

/** What stands on it, to be read without opening it. */
export interface Marks {
  re?: EntryId | undefined;
  alert?: Alert;
}

/** Seals what is said for its addressee and for ourselves, and queues it; returns its id. */
export async function post(
  { to, keys }: Addressee,
  { cty, content }: Said,
  { me, keyring, outbox, now }: LetterParts,
  { re, alert }: Marks = {},
): Promise<EntryId> {
  const [{ signing, sealing }] = keyring;
  const mid = newEntryId(now());
  const recipients = [...keys, sealing.public];
  const { body: sealed, commitment } = await seal(content, {
    ...{ cty, iss: me, skid: signing.kid, mid, recipients },
  });
  const body = makeBody(sealed);
  const marks = { ...(re === undefined ? {} : { re }), ...(alert === undefined ? {} : { alert }) };
  return await outbox.queue({ type: "message", to, commitment, body: refOf(body), ...marks }, body, mid);
}
