/**
 * What an admin does: lists, and commands.
 *
 * Lists are the gateway's word. Every command is an entry that this admin signs, so that it stays on the chain who did
 * it.
 */

import type {
  AccountRow,
  AdminActions,
  AuditLine,
  CertificateRow,
  GroupRow,
  InviteRow,
  JoinRow,
  LinkRow,
} from "../model";
import { makeBody, refOf, writeGroupName, writeInvitation } from "../proto/body";
import { base32 } from "../proto/encoding";
import type { Says } from "../proto/entry";
import { accountId } from "../proto/identity";
import { codeHash, formatJoinCode, namesRoot, newJoinSecret } from "../proto/joincode";
import { fresh } from "../proto/random";
import type { Shape } from "../proto/shape";
import {
  type Act,
  readAccountPage,
  readAuditPage,
  readCertificatePage,
  readGroupPage,
  readHealth,
  readInvitePage,
  readJoinPage,
  readLinkPage,
  readRefusalPage,
  readRenewed,
  readSessionPage,
  readVerifyState,
} from "./documents";
import { Problem, Untrusted, wordsForPeople } from "./errors";
import type { Session } from "./session";
import { checkShift } from "./shifts";
import type { World } from "./world";

const HOUR_MS = 3_600_000;
const GROUP_BYTES = 16;
const PAGE = 200;
const LINES = 100;
const NOT_FOUND = 404;

/** Where the page came from. */
export type Address = Pick<Location, "protocol" | "hostname" | "port">;

export function adminActions(world: World, address: Address, session: () => Session): AdminActions {
  const { gateway } = world;

  /** Every page of a list. */
  async function all<Page extends { next: number | string | null }, Row>(
    path: string,
    shape: Shape<Page>,
    rowsOf: (page: Page) => readonly Row[],
  ): Promise<Row[]> {
    const rows: Row[] = [];
    for (let after: Page["next"] | undefined; after !== null; ) {
      const query = queryOf({ limit: PAGE, after: after ?? null });
      const page: Page = await gateway.ask("GET", `${path}?${query}`, shape);
      rows.push(...rowsOf(page));
      after = page.next;
    }
    return rows;
  }

  async function say(says: Says, body?: ReturnType<typeof makeBody>): Promise<void> {
    await session().say(says, body);
  }

  const actions: Omit<AdminActions, "downloadUrl"> = {
    accounts: () => all("/v1/admin/accounts", readAccountPage, (page) => page.accounts.map(accountRow)),
    invites: () => all("/v1/admin/invites", readInvitePage, (page) => page.invites.map(inviteRow)),
    groups: () => all("/v1/admin/groups", readGroupPage, (page): GroupRow[] => page.groups),
    links: () => all("/v1/admin/links", readLinkPage, (page) => page.links.map(linkRow)),
    sessions: () => all("/v1/admin/sessions", readSessionPage, (page) => page.sessions),

    async invite({ handle, kind, role, hours, match }) {
      const secret = newJoinSecret();
      const body = makeBody(writeInvitation(match ? { handle, match } : { handle }));
      const { pin, now } = await gateway.site();
      checkPin(pin, session());
      // The gateway decides by its own clock whether it has expired.
      const expires = now + hours * HOUR_MS;
      await say(
        { type: "invite", code_hash: codeHash(secret), kind, role, expires, body: refOf(body) },
        body,
      );
      return formatJoinCode({
        host: address.hostname,
        port: portOf(address),
        pin,
        secret,
      });
    },

    joins: () => all("/v1/admin/joins", readJoinPage, (page): JoinRow[] => page.joins),

    confirm: (invite, digits) => gateway.tell(`/v1/admin/joins/${invite}/confirm`, { digits }),
    cancel: (invite) => gateway.tell(`/v1/admin/joins/${invite}/cancel`),

    async certificates() {
      try {
        return await all(
          "/v1/admin/certificates",
          readCertificatePage,
          (page): CertificateRow[] => page.certificates,
        );
      } catch (error) {
        if (error instanceof Problem && error.status === NOT_FOUND) return [];
        throw error;
      }
    },

    async renew(account) {
      const path = `/v1/admin/certificates/${account}/renew`;
      return (await gateway.ask("POST", path, readRenewed, {})).until;
    },

    revoke: (account, reason) => say({ type: "revoke", account, reason }),
    link: (one, other) => say({ type: "contact", action: "link", of: one, peer: other }),
    unlink: (one, other) => say({ type: "contact", action: "unlink", of: one, peer: other }),

    async group({ id, name, members }) {
      const group = id ?? `g-${base32(fresh(GROUP_BYTES))}`;
      const sorted = [...members].sort();
      if (sorted.length === 0) return await say({ type: "group", group, members: [] });
      const body = makeBody(writeGroupName({ name }));
      await say({ type: "group", group, members: sorted, body: refOf(body) }, body);
    },

    async planShift(party, account, { begins, ends, instead }) {
      checkShift(begins, ends);
      const replaced = instead === undefined ? {} : { instead };
      await say({ type: "shift", party, account, begins, ends, ...replaced });
    },

    async endShift(party, account, { begins, ends }) {
      checkShift(begins, ends);
      await say({ type: "shift", party, instead: account, begins, ends });
    },

    async endSession(id) {
      await gateway.tell(`/v1/admin/sessions/${id}/end`);
    },

    health: () => gateway.ask("GET", "/v1/admin/chain", readHealth),

    async verifyNow() {
      await gateway.ask("POST", "/v1/admin/chain/verify", readVerifyState, {});
    },

    async audit({ type, before }) {
      const query = queryOf({ limit: LINES, before, type });
      const page = await gateway.ask("GET", `/v1/admin/audit?${query}`, readAuditPage);
      return { lines: page.lines.map(auditLine), before: page.before };
    },

    async refusals(before) {
      const query = queryOf({ limit: LINES, before });
      const page = await gateway.ask("GET", `/v1/admin/refusals?${query}`, readRefusalPage);
      return {
        lines: page.lines.map(({ handle: title, ...line }) => ({ ...line, title })),
        before: page.before,
      };
    },
  };
  return { ...wordsForPeople(actions), downloadUrl: "/v1/admin/chain/download" };
}

/** What codes are to name the gateway by: its own key, or a root, of which the browser saw a certificate. */
function checkPin(pin: string, { membership }: Session): void {
  if (!namesRoot(pin) && pin !== accountId(membership.gatewayKey))
    throw new Untrusted("it names itself by another key than its own");
}

/** A browser does not say the port that is usual. */
function portOf({ protocol, port }: Address): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}

function queryOf(parameters: Record<string, string | number | null>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== null);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

type Account = ReturnType<typeof readAccountPage>["accounts"][number];
type Invite = ReturnType<typeof readInvitePage>["invites"][number];
type Link = ReturnType<typeof readLinkPage>["links"][number];

function accountRow({ last_seen: lastSeen, ...row }: Account): AccountRow {
  return { ...row, lastSeen };
}

function inviteRow({ used_by: usedBy, ...row }: Invite): InviteRow {
  return { ...row, usedBy };
}

function linkRow({ one, other, asked_by: askedBy }: Link): LinkRow {
  return { one, other, askedBy };
}

function auditLine(act: Act): AuditLine {
  const { index, at, id, type, author } = act;
  return { index, at, id, type, author, authorTitle: act.author_handle ?? author, what: said(act) };
}

/** What an entry did, in words. */
export function said(act: Act): string {
  const about = act.about_handle ?? act.about ?? "somebody";
  const of = act.of_handle ?? act.of ?? "somebody";
  switch (act.type) {
    case "invite":
      return `made a join code for ${about} (${act.kind}, ${act.role})`;
    case "account":
      return `joined as a ${act.kind} (${act.role}), invited by ${about}`;
    case "key":
      return act.action === "reset" ? `gave ${about} new keys (reset)` : "changed their own keys";
    case "revoke":
      return act.key === null
        ? `ended the account of ${about} (${act.action})`
        : `ended a key of ${about} (${act.action})`;
    case "contact":
      return saidOfContact(act.action ?? "", about, of);
    case "group":
      return act.action === "end"
        ? `ended the group ${about}`
        : `set the group ${about}: ${act.members === 1 ? "1 member" : `${act.members} members`}`;
    case "contract":
      return `${act.action === "remove" ? "removed" : "installed"} the contract ${about}`;
    case "shift":
      return `changed who is on duty in ${about}`;
    case "approve":
      return "agreed to what another admin is to do";
    case "redact":
      return `erased the body of entry ${about} (${act.action})`;
  }
}

function saidOfContact(action: string, about: string, of: string): string {
  switch (action) {
    case "link":
      return `linked ${of} to ${about}`;
    case "unlink":
      return `unlinked ${of} from ${about}`;
    case "request":
      return `asked ${about} to be a contact`;
    case "accept":
      return `accepted ${about} as a contact`;
    default:
      return `removed the contact ${about}`;
  }
}
