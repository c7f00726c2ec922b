/** The REST documents that only the page reads, each with its reader. All others are in `proto/wire.ts`. */

import type { VerifyState } from "../model";
import { entryIdShape, kindShape, roleShape } from "../proto/entry";
import { accountIdShape, groupIdShape, partyIdShape, thumbprintShape } from "../proto/identity";
import { boolean, integer, list, literal, nullable, type Of, open, type Shape, text } from "../proto/shape";
import { readDelivered } from "../proto/wire";

/** `GET /v1/chain/blocks/<height>`. The header stays as it came: it is hashed before it is believed. */
export const readBlock = open({
  header: (value: unknown) => value,
  hash: thumbprintShape,
});
export type Block = Of<typeof readBlock>;

/** What a block header says of where the block is, and when it was cut. */
export const readHeader = open({
  id: integer(),
  timestamp: integer(),
  first: integer(),
  count: integer(1),
  size: integer(1),
  root: text(),
});
export type Header = Of<typeof readHeader>;

/** Where the next page of a list begins. */
const next = nullable(integer(-1));

// Alerts and duty

const step = open({ to: partyIdShape, name: nullable(text()), after: integer() });

/** `GET /v1/alerts`. `step` is the newest that fired, in lap `lap` (from 0); `due_in` the ms until the next. */
export const readAlertPage = open({
  alerts: list(
    open({
      id: entryIdShape,
      contract: nullable(text()),
      step: nullable(integer()),
      lap: nullable(integer()),
      steps: list(step),
      due_in: nullable(integer()),
      nobody: boolean,
      concerns: list(partyIdShape),
    }),
  ),
});
export type AlertLine = Of<typeof readAlertPage>["alerts"][number];

/** `GET /v1/alerts/<id>/entries`: what an alert follows from. */
export const readAlertEntries = open({ entries: list(readDelivered) });

const shiftLine = open({ account: accountIdShape, begins: integer(), ends: integer() });

/** `GET /v1/duty`, the groups that we may write to, in pages. `now` is the gateway's clock. */
export const readDuty = open({
  groups: list(
    open({
      id: groupIdShape,
      name: nullable(text()),
      members: list(accountIdShape),
      on: list(accountIdShape),
      shifts: list(shiftLine),
    }),
  ),
  now: integer(),
  next,
});
export type DutyAnswer = Of<typeof readDuty>;

// Sessions and the admin's lists

const sessionLine = open({
  id: text(),
  account: text(),
  handle: nullable(text()),
  begun: integer(),
  used: integer(),
  expires: integer(),
  agent: text(),
  current: boolean,
});
export const readOwnSessions = open({ sessions: list(sessionLine) });

export const readSessionPage = open({ sessions: list(sessionLine), next });

export const readAccountPage = open({
  accounts: list(
    open({
      account: text(),
      kind: kindShape,
      role: roleShape,
      live: boolean,
      keyed: boolean,
      index: integer(),
      handle: nullable(text()),
      name: nullable(text()),
      online: boolean,
      last_seen: nullable(integer()),
    }),
  ),
  next,
});

export const readInvitePage = open({
  invites: list(
    open({
      id: text(),
      kind: kindShape,
      role: roleShape,
      expires: integer(),
      handle: nullable(text()),
      author: text(),
      used_by: nullable(text()),
      index: integer(),
      dead: boolean,
    }),
  ),
  next,
});

export const readJoinPage = open({
  joins: list(
    open({
      invite: text(),
      handle: text(),
      kind: kindShape,
      role: roleShape,
      since: integer(),
      tries: integer(),
      confirmed: boolean,
    }),
  ),
  next,
});

export const readCertificatePage = open({
  certificates: list(
    open({
      account: text(),
      until: integer(),
      revoked: boolean,
      expired: boolean,
      renewable: nullable(integer()),
    }),
  ),
  next: nullable(text()),
});

export const readRenewed = open({ until: integer() });

export const readGroupPage = open({
  groups: list(open({ id: text(), name: nullable(text()), members: list(text()) })),
  next,
});

export const readLinkPage = open({
  links: list(open({ one: text(), other: text(), asked_by: nullable(text()), index: integer() })),
  next,
});

const act = open({
  index: integer(),
  at: integer(),
  id: text(),
  type: literal(
    "invite",
    "account",
    "key",
    "revoke",
    "contact",
    "group",
    "redact",
    "contract",
    "shift",
    "approve",
  ),
  author: text(),
  author_handle: nullable(text()),
  about: nullable(text()),
  about_handle: nullable(text()),
  action: nullable(text()),
  of: nullable(text()),
  of_handle: nullable(text()),
  key: nullable(text()),
  kind: nullable(text()),
  role: nullable(text()),
  members: nullable(integer()),
});
export type Act = Of<typeof act>;
export const readAuditPage = open({ lines: list(act), before: nullable(integer()) });

const idle = open({ state: literal("idle") });
const running = open({ state: literal("running"), since: integer() });
const done = open({
  state: literal("done"),
  at: integer(),
  ms: integer(),
  ok: boolean,
  height: integer(-1),
  size: integer(),
  detail: text(),
});
const tagged = open({ state: literal("idle", "running", "done") });

/** The gateway's own check of the chain, by its `state`. */
export const readVerifyState: Shape<VerifyState> = (value, what) => {
  const { state } = tagged(value, what);
  return { idle, running, done }[state](value, what);
};

export const readHealth = open({
  height: integer(),
  size: integer(),
  timestamp: integer(),
  checkpoint: text(),
  bytes: integer(),
  free: integer(),
  verify: readVerifyState,
});

export const readRefusalPage = open({
  lines: list(
    open({
      number: integer(),
      at: integer(),
      account: nullable(text()),
      handle: nullable(text()),
      rule: text(),
      reason: text(),
    }),
  ),
  before: nullable(integer()),
});
