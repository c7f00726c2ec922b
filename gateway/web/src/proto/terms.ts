/** The terms of a contract: what an admin installs, as in `chain/contracts/terms.py`. The page shows them. */

import { partyIdShape } from "./identity";
import { integer, list, literal, type Of, optional, strict, tagged, text } from "./shape";

export const MAX_GUARD_BYTES = 2_048;
export const MAX_STEPS = 16;
const DAY = 86_400;

export const contractIdShape = text({ pattern: /^[a-z][a-z0-9-]{0,63}$/ });

/** In seconds. */
const seconds = (min: number, days: number) => integer(min, days * DAY);

const termsOf = <const Kind extends string>(kind: Kind) => ({
  kind: literal(kind),
  version: literal(1),
  /** A guard: where it holds, the contract acts. */
  when: text({ min: 1, max: MAX_GUARD_BYTES }),
});

/** A message for which the guard holds is refused. */
const access = strict({ ...termsOf("access"), params: strict({}) });

/** Of the messages for which it holds, those above a rate are refused. */
const rate = strict({
  ...termsOf("rate"),
  params: strict({
    count: integer(1, 1_000_000),
    seconds: seconds(1, 31),
    per: literal("author", "to", "all"),
  }),
});

/** What an admin does, and it holds for, wants several admins. */
const quorum = strict({
  ...termsOf("quorum"),
  params: strict({ need: integer(2, 8), seconds: seconds(60, 31) }),
});

/** An alert that nobody takes reaches further people, one step after the other. */
const escalate = strict({
  ...termsOf("escalate"),
  params: strict({
    steps: list(strict({ to: partyIdShape, after: seconds(0, 7) }), 1, MAX_STEPS),
    wait: seconds(1, 7),
    laps: integer(1, 100),
    resolve_within: optional(seconds(1, 7)),
  }),
});

/** The body of a message for which it held is erased in time. */
const retain = strict({ ...termsOf("retain"), params: strict({ seconds: seconds(60, 3650) }) });

export const termsShape = tagged("kind", { access, rate, quorum, escalate, retain });
export type Terms = Of<typeof termsShape>;
