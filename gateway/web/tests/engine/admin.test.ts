import { beforeEach, describe, expect, test } from "vitest";
import { type Address, adminActions, said } from "../../src/engine/admin";
import { Board } from "../../src/engine/board";
import type { Act } from "../../src/engine/documents";
import { Gateway } from "../../src/engine/gateway";
import type { Session } from "../../src/engine/session";
import { Visitors } from "../../src/engine/visitors";
import type { World } from "../../src/engine/world";
import type { Body } from "../../src/proto/body";
import type { Says } from "../../src/proto/entry";
import { codeHash, parseJoinCode } from "../../src/proto/joincode";
import { FairTurns } from "./room";
import { Town } from "./town";

const HOUR_MS = 3_600_000;
const GROUP = `g-${"a".repeat(26)}`;
const HERE: Address = { protocol: "https:", hostname: "ward.example", port: "8443" };

let town: Town;
let entries: { says: Says; body: Body | undefined }[];
/** How far the clock of the admin's tablet is ahead of the gateway's. */
let ahead: number;
/** What the gateway answers, by path. */
let answers: Record<string, unknown>;
let asked: string[];
let bodies: unknown[];
/** The status of every answer, if it is to be a refusal. */
let refused: number | null;

beforeEach(async () => {
  town = await Town.found();
  [entries, ahead, answers, asked, bodies, refused] = [[], 0, {}, [], [], null];
});

function admin(address: Address = HERE) {
  const answered: typeof fetch = async (input, init) => {
    const url = String(input);
    asked.push(`${init?.method} ${url}`);
    bodies.push(init?.body);
    if (refused !== null) return new Response(null, { status: refused });
    if (url === "/v1/site") return Response.json(await town.site());
    return url in answers ? Response.json(answers[url]) : new Response(null, { status: 204 });
  };
  const world: World = {
    gateway: new Gateway(answered),
    board: new Board(),
    turns: new FairTurns(),
    visitors: new Visitors({ getItem: () => null, setItem: () => undefined, removeItem: () => undefined }),
    now: () => town.clock + ahead,
  };
  const session = {
    membership: { gatewayKey: town.key },
    say: async (says: Says, body?: Body) => entries.push({ says, body }),
  };
  return adminActions(world, address, () => session as unknown as Session);
}

const WISH = { handle: "nurse.kim", kind: "person", role: "member", hours: 24, match: false } as const;

describe("a join code", () => {
  test("names the gateway, and has a secret of which the chain gets the hash alone", async () => {
    const code = parseJoinCode(await admin().invite(WISH));

    expect(code).toMatchObject({ host: "ward.example", port: 8443, pin: town.gateway });
    expect(entries).toMatchObject([
      {
        says: { type: "invite", code_hash: codeHash(code.secret), kind: "person", role: "member" },
        body: { content: '{"handle":"nurse.kim"}' },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain(code.secret);
  });

  test.each([
    [{ protocol: "http:", hostname: "[::1]", port: "8080" }, "[::1]", 8080],
    [{ protocol: "https:", hostname: "[fd00::12]", port: "" }, "[fd00::12]", 443],
    [{ protocol: "https:", hostname: "ward.example", port: "" }, "ward.example", 443],
    [{ protocol: "http:", hostname: "localhost", port: "" }, "localhost", 80],
    [{ protocol: "http:", hostname: "192.168.1.20", port: "8080" }, "192.168.1.20", 8080],
  ])("made at %j leads there", async (address, host, port) => {
    expect(parseJoinCode(await admin(address).invite(WISH))).toMatchObject({ host, port });
  });

  test.each([0, 5 * HOUR_MS, -5 * HOUR_MS])(
    "works until the gateway's clock says otherwise, on a tablet that is %i ms ahead",
    async (difference) => {
      ahead = difference;

      await admin().invite(WISH);

      expect(entries).toMatchObject([{ says: { expires: town.clock + 24 * HOUR_MS } }]);
    },
  );
});

describe("a join code for a LAN", () => {
  test("names the root, as the gateway says", async () => {
    town.root = "b".repeat(52);

    expect(parseJoinCode(await admin().invite(WISH)).pin).toBe(town.root);
  });

  test("is not made for a gateway that names itself by another key than its own", async () => {
    town.root = "b".repeat(26);

    await expect(admin().invite(WISH)).rejects.toThrow("cannot be trusted");
    expect(entries).toEqual([]);
  });

  test("may ask for six digits", async () => {
    await admin().invite({ ...WISH, match: true });

    expect(entries).toMatchObject([{ body: { content: '{"handle":"nurse.kim","match":true}' } }]);
  });
});

describe("who waits", () => {
  test("is listed, and let in or stopped by the invite", async () => {
    const join = {
      invite: "i",
      handle: "kim",
      kind: "person",
      role: "member",
      since: 1,
      tries: 2,
      confirmed: false,
    };
    answers["/v1/admin/joins?limit=200"] = { joins: [{ ...join, index: 3 }], next: null };

    expect(await admin().joins()).toEqual([join]);
    await admin().confirm("i", "493021");
    await admin().cancel("i");

    expect(asked.slice(1)).toEqual(["POST /v1/admin/joins/i/confirm", "POST /v1/admin/joins/i/cancel"]);
    expect(bodies.slice(1)).toEqual(['{"digits":"493021"}', "{}"]);
  });
});

describe("certificates", () => {
  test("are listed, page by page", async () => {
    const line = { account: "a", until: 5, revoked: false, expired: true, renewable: null };
    answers["/v1/admin/certificates?limit=200"] = { certificates: [line], next: "a" };
    answers["/v1/admin/certificates?limit=200&after=a"] = { certificates: [], next: null };

    expect(await admin().certificates()).toEqual([line]);
  });

  test("are none where the gateway has none", async () => {
    refused = 404;

    expect(await admin().certificates()).toEqual([]);
  });

  test("that the gateway does not tell are not taken for none", async () => {
    refused = 503;

    await expect(admin().certificates()).rejects.toThrow("cannot be reached");
  });

  test("may be renewed by an admin's word", async () => {
    answers["/v1/admin/certificates/a/renew"] = { until: 7 };

    expect(await admin().renew("a")).toBe(7);
    expect(asked).toEqual(["POST /v1/admin/certificates/a/renew"]);
  });
});

describe("commands", () => {
  test("a group has a name and its members in order; without members it ends", async () => {
    const { group } = admin();

    await group({ id: null, name: "Nights", members: ["b".repeat(26), "a".repeat(26)] });
    const [made] = entries;
    if (made?.says.type !== "group") throw new Error("want a group");
    await group({ id: made.says.group, name: "Nights", members: [] });

    expect(made.says.group).toMatch(/^g-[a-z2-7]{26}$/);
    expect(made).toMatchObject({
      says: { members: ["a".repeat(26), "b".repeat(26)] },
      body: { content: '{"name":"Nights"}' },
    });
    expect(entries[1]).toEqual({ says: { type: "group", group: made.says.group, members: [] } });
  });

  test("accounts are ended, linked and unlinked by entries", async () => {
    const { revoke, link, unlink } = admin();

    await revoke("one", "left");
    await link("one", "other");
    await unlink("one", "other");

    expect(entries.map(({ says }) => says)).toEqual([
      { type: "revoke", account: "one", reason: "left" },
      { type: "contact", action: "link", of: "one", peer: "other" },
      { type: "contact", action: "unlink", of: "one", peer: "other" },
    ]);
  });

  test("a session is ended by its id", async () => {
    await admin().endSession("abc");

    expect(asked).toEqual(["POST /v1/admin/sessions/abc/end"]);
  });
});

describe("lists", () => {
  test("all pages of a list are read", async () => {
    const group = (id: string) => ({ id, name: id, members: [] });
    answers = {
      "/v1/admin/groups?limit=200": { groups: [group("g-1")], next: 7 },
      "/v1/admin/groups?limit=200&after=7": { groups: [group("g-2")], next: null },
    };

    expect(await admin().groups()).toEqual([group("g-1"), group("g-2")]);
  });

  test("what the gateway calls a line is what the page calls it", async () => {
    const refusal = { number: 3, at: 5, account: null, rule: "contact", reason: "no" };
    answers = {
      "/v1/admin/refusals?limit=100": { lines: [{ ...refusal, handle: "fridge" }], before: 3 },
      "/v1/admin/links?limit=200": {
        links: [{ one: "a", other: "b", asked_by: "a", index: 4 }],
        next: null,
      },
    };

    expect(await admin().refusals(null)).toEqual({ lines: [{ ...refusal, title: "fridge" }], before: 3 });
    expect(await admin().links()).toEqual([{ one: "a", other: "b", askedBy: "a" }]);
  });

  test("the audit asks for one type, and for what is older", async () => {
    answers = {
      "/v1/admin/audit?limit=100&before=9&type=revoke": {
        lines: [{ ...NOTHING, type: "revoke", about_handle: "dr.gone", action: "left" }],
        before: null,
      },
    };

    const { lines, before } = await admin().audit({ type: "revoke", before: 9 });

    expect(lines).toMatchObject([{ authorTitle: "admin", what: "ended the account of dr.gone (left)" }]);
    expect(before).toBeNull();
  });

  test("an answer that says no is told in words", async () => {
    await expect(admin().health()).rejects.toThrow("What the gateway answered cannot be trusted");
  });
});

describe("a shift", () => {
  test("is planned for somebody, in place of somebody else", async () => {
    await admin().planShift(GROUP, "kim", { begins: 0, ends: HOUR_MS, instead: "lee" });

    expect(entries).toEqual([
      {
        says: { type: "shift", party: GROUP, account: "kim", begins: 0, ends: HOUR_MS, instead: "lee" },
        body: undefined,
      },
    ]);
  });

  test("is ended by taking somebody off for that time", async () => {
    await admin().endShift(GROUP, "kim", { begins: 0, ends: HOUR_MS });

    expect(entries).toMatchObject([
      { says: { type: "shift", party: GROUP, instead: "kim", begins: 0, ends: HOUR_MS } },
    ]);
    expect(entries[0]?.says).not.toHaveProperty("account");
  });

  test.each([0, -1, 31 * 24 * HOUR_MS + 1])("of %i ms is not sent", async (long) => {
    await expect(admin().planShift(GROUP, "kim", { begins: 0, ends: long })).rejects.toThrow("A shift");
    expect(entries).toEqual([]);
  });
});

const NOTHING: Act = {
  index: 1,
  at: 2,
  id: "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071",
  type: "invite",
  author: "abcdefghijklmnopqrstuvwxyz",
  author_handle: "admin",
  about: null,
  about_handle: null,
  action: null,
  of: null,
  of_handle: null,
  key: null,
  kind: null,
  role: null,
  members: null,
};

test.each<[Partial<Act>, string]>([
  [
    { type: "invite", about_handle: "kim", kind: "person", role: "member" },
    "made a join code for kim (person, member)",
  ],
  [{ type: "invite", kind: "device", role: "member" }, "made a join code for somebody (device, member)"],
  [
    { type: "account", about_handle: "admin", kind: "person", role: "member" },
    "joined as a person (member), invited by admin",
  ],
  [{ type: "key", about_handle: "kim", action: "reset" }, "gave kim new keys (reset)"],
  [{ type: "key", about_handle: "kim", action: "rotation" }, "changed their own keys"],
  [{ type: "revoke", about_handle: "kim", action: "left" }, "ended the account of kim (left)"],
  [{ type: "revoke", about: "ab", action: "lost", key: "k" }, "ended a key of ab (lost)"],
  [
    { type: "contact", action: "link", of_handle: "fridge", about_handle: "on-call" },
    "linked fridge to on-call",
  ],
  [{ type: "contact", action: "unlink", of: "ab", about_handle: "on-call" }, "unlinked ab from on-call"],
  [{ type: "contact", action: "request", about_handle: "kim" }, "asked kim to be a contact"],
  [{ type: "contact", action: "accept", about_handle: "kim" }, "accepted kim as a contact"],
  [{ type: "contact", action: "remove", about_handle: "kim" }, "removed the contact kim"],
  [{ type: "group", action: "set", about_handle: "nights", members: 1 }, "set the group nights: 1 member"],
  [{ type: "group", action: "set", about_handle: "nights", members: 4 }, "set the group nights: 4 members"],
  [{ type: "group", action: "end", about: "g-ab", members: 0 }, "ended the group g-ab"],
  [{ type: "contract", action: "install", about: "night" }, "installed the contract night"],
  [{ type: "contract", action: "remove", about: "night" }, "removed the contract night"],
  [{ type: "shift", about_handle: "nights" }, "changed who is on duty in nights"],
  [{ type: "approve", about: "x" }, "agreed to what another admin is to do"],
  [{ type: "redact", about: "0197", action: "mistake" }, "erased the body of entry 0197 (mistake)"],
])("%j is said in words", (act, words) => {
  expect(said({ ...NOTHING, ...act })).toBe(words);
});
