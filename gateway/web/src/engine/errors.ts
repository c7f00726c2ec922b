/**
 * What can go wrong between the page and the gateway, and what a person is told of it.
 *
 * `Unreachable` has no answer, `Problem` is an answer that says no, `Untrusted` is one that does not hold.
 */

import { ProtoError, TwoHistories } from "../proto/errors";

/** There is no answer now; the same question may be answered later. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** The gateway says no: an RFC 9457 problem document. */
export class Problem extends Error {
  override name = "Problem";

  constructor(
    readonly status: number,
    readonly detail: string,
    readonly rule: string | null = null,
    /** The gateway's signed word for it, where it gave one. */
    readonly refusal: string | null = null,
  ) {
    super(detail);
  }
}

/** What the gateway answered is not proven by the chain. */
export class Untrusted extends Error {
  override name = "Untrusted";
}

/** Words for a person already: shown as they are. */
export class ForPerson extends Error {
  override name = "ForPerson";
}

const UNAUTHENTICATED = 401;
const TOO_MANY_REQUESTS = 429;

const RULES: Record<string, string> = {
  contact: "You are not in contact with them, or you have asked them already.",
  contract: "A contract that the administrators installed does not permit it.",
  gap: "An earlier message has not arrived yet. Try again.",
  handle: "This handle is taken.",
  history: "The gateway does not recognise what this browser has seen of its history.",
  key: "The keys of this browser are no longer your current ones.",
  malformed: "The gateway could not read it.",
  origin: "It was written for another gateway.",
  oversized: "It is too large.",
  permission: "You are not allowed to do this.",
  rate: "A contract that the administrators installed counts too many of these. Try again later.",
  replay: "It exists already.",
  revoked: "Your account was ended by an administrator.",
  sequence: "It was written in an order that the gateway does not accept. Try again.",
  signature: "Its signature does not hold.",
  stranger: "Your account is not known to this gateway.",
  unknown: "What it is about does not exist, or is not yours to see.",
  unsupported: "This gateway does not support it.",
};

/** Of a join code, and of what wants more admins, the gateway says what is wrong with it, and what to do. */
const SAID_BY_GATEWAY: ReadonlySet<string> = new Set(["invite", "quorum"]);

/** What a person is told when the chain refused something by `rule`. */
export function wordsOf(rule: string, detail: string): string {
  return SAID_BY_GATEWAY.has(rule) ? sentence(detail) : (RULES[rule] ?? detail);
}

/** The session was begun with a password, or a recovery code, that is none any more. */
export const LOGIN_CHANGED = "session: the login it was begun with was changed since; log in again";

/** Why a session is over, by how the gateway's `desk.py` says it. */
const ENDINGS: Record<string, string> = {
  "account: it was ended by an administrator": wordsOf("revoked", ""),
  [LOGIN_CHANGED]: "Your password or recovery code was changed. Log in with the new one.",
};
const ENDED = "Your session has ended. Log in again.";

/** What a person is told when their session is over. */
export function wordsOfEnding(detail: string): string {
  return ENDINGS[detail] ?? ENDED;
}

export function hasEnded(error: unknown): boolean {
  return error instanceof Problem && error.status === UNAUTHENTICATED;
}

/** Whether there is nothing to try again: the session is over, or the gateway contradicted itself. */
export function isFinal(error: unknown): boolean {
  return hasEnded(error) || error instanceof TwoHistories;
}

/** The error that an action raises: its message is for a person. */
export function forPerson(error: unknown): Error {
  if (error instanceof ForPerson) return error;
  if (error instanceof Unreachable)
    return new ForPerson("The gateway cannot be reached now. Try again later.");
  if (error instanceof Problem) {
    if (error.rule !== null) return new ForPerson(wordsOf(error.rule, error.detail));
    if (hasEnded(error)) return new ForPerson(ENDED);
    // The gateway says how long, in words for a person.
    if (error.status === TOO_MANY_REQUESTS) return new ForPerson(sentence(error.detail));
    return new ForPerson(`The gateway refused: ${error.detail}`);
  }
  if (error instanceof Untrusted || error instanceof ProtoError)
    return new ForPerson(`What the gateway answered cannot be trusted: ${error.message}`);
  const why = error instanceof Error ? error.message : String(error);
  return new ForPerson(`Something went wrong in this page. Load it again. (${why})`, { cause: error });
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** The same actions, whose errors say in words for a person what is wrong. */
export function wordsForPeople<Actions extends object>(actions: Actions): Actions {
  const told = Object.entries(actions).map(([name, act]) => [
    name,
    async (...given: unknown[]) => {
      try {
        return await act(...given);
      } catch (error) {
        throw forPerson(error);
      }
    },
  ]);
  return Object.fromEntries(told) as Actions;
}
