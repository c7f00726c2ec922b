import { flattenedDecrypt } from "jose/jwe/flattened/decrypt";
import { GeneralEncrypt } from "jose/jwe/general/encrypt";
import { describe, expect, test, vi } from "vitest";
import { b64url, canonical, sha256, unb64url, utf8 } from "../../src/proto/encoding";
import { CannotOpen, CannotSeal } from "../../src/proto/errors";
import { importSealing, type SealingKey, sealingThumbprint } from "../../src/proto/identity";
import {
  commit,
  MAX_READERS,
  type OpenedBody,
  openSealed,
  type Sealed,
  type Sealing,
  seal,
} from "../../src/proto/sealing";
import { ENTRY, NAMES, type Name, opener, person, vectors } from "./people";

interface Claims {
  name: string;
  author: string;
  body: string;
  commitment: string;
  mid: string;
  signer: string;
}
type Openable = Claims & { content: string; cty: string; readers: Name[] };
type Refused = Claims & { reader: Name };

const OPENABLE = [
  ...vectors<Openable[]>("sealed"),
  ...vectors<Openable[]>("foreign"),
  ...vectors<Openable[]>("page"),
];
const REFUSED = vectors<Refused[]>("refused");

async function read(entry: Claims, reader: Name): Promise<OpenedBody> {
  return openSealed(entry.body, { ...entry, keys: await opener(reader) });
}

async function sealed(
  content = "hello",
  to: readonly Name[] = ["bob"],
  other: Partial<Sealing> = {},
): Promise<Sealed> {
  const alice = await person("alice");
  const readers = await Promise.all(["alice" as const, ...to].map(person));
  const what = {
    cty: "text/plain",
    iss: alice.account,
    skid: alice.signing.kid,
    mid: ENTRY,
    recipients: readers.map((reader) => reader.sealing.public),
  };
  return seal(content, { ...what, ...other });
}

async function openedBy(made: Sealed, ...readers: Name[]): Promise<OpenedBody> {
  const alice = await person("alice");
  const keys = new Map((await Promise.all(readers.map(opener))).flatMap((each) => [...each]));
  return openSealed(made.body, {
    keys,
    signer: alice.signing.kid,
    author: alice.account,
    mid: ENTRY,
    commitment: made.commitment,
  });
}

/** Public keys that nobody has the other half of. */
function strangers(count: number): SealingKey[] {
  return Array.from({ length: count }, (_, i) => {
    const modulus = new Uint8Array(256);
    modulus.set([0x80], 0);
    modulus.set([(2 * i + 1) & 0xff], 255);
    return { e: "AQAB", kty: "RSA", n: b64url(modulus) };
  });
}

interface Jwe {
  protected: string;
  recipients: { encrypted_key: string; header: { kid: string } }[];
}

function parsed(made: { body: string }): Jwe {
  return JSON.parse(made.body);
}

function headerOf(made: { body: string }): Record<string, string> {
  return JSON.parse(new TextDecoder().decode(unb64url(parsed(made).protected)));
}

describe("bodies sealed by Python, by another library and by this page", () => {
  test.each(OPENABLE)("every addressee reads the same: $name", async (entry) => {
    for (const reader of entry.readers) {
      expect(await read(entry, reader)).toEqual({ content: entry.content, cty: entry.cty });
    }
  });

  test.each(OPENABLE)("nobody else reads anything: $name", async (entry) => {
    for (const stranger of NAMES.filter((name) => !entry.readers.includes(name))) {
      await expect(read(entry, stranger)).rejects.toThrow(CannotOpen);
    }
  });
});

test.each(REFUSED)("every fault is refused with one and the same error: $name", async (entry) => {
  const refusal: unknown = await read(entry, entry.reader).catch((error: unknown) => error);

  expect(refusal).toBeInstanceOf(CannotOpen);
  expect(refusal).toHaveProperty("message", "this message cannot be opened");
  expect(refusal).not.toHaveProperty("cause");
});

test.each(vectors<{ name: string; fk: string; content: string; commitment: string }[]>("commitments"))(
  "a commitment is the known one: $name",
  ({ fk, content, commitment }) => {
    expect(commit(unb64url(fk), content)).toBe(commitment);
  },
);

test("a well-formed text that the entry does not commit to is refused", async () => {
  const [first, second] = [await sealed("Give 5 mg."), await sealed("Give 50 mg.")];

  expect((await openedBy(first, "bob")).content).toBe("Give 5 mg.");
  await expect(openedBy({ ...second, commitment: first.commitment }, "bob")).rejects.toThrow(CannotOpen);
});

test("what we seal is a JWE to the library itself", async () => {
  const { recipients, ...shared } = JSON.parse((await sealed("hello")).body);
  const bob = await person("bob");
  const mine = recipients.find((block: { header: { kid: string } }) => block.header.kid === bob.sealing.kid);

  const { plaintext } = await flattenedDecrypt({ ...shared, ...mine }, bob.sealing.private);

  expect(JSON.parse(new TextDecoder().decode(plaintext))).toMatchObject({ content: "hello" });
});

test("the header says who wrote it in which entry and for whom, as Python writes it", async () => {
  const byPython = OPENABLE.find(({ name }) => name === "one reader");

  expect(byPython && headerOf(byPython)).toEqual(headerOf(await sealed()));
});

test("the order of the blocks does not tell who wrote it", async () => {
  const kids = parsed(await sealed("hello", ["bob", "carol"])).recipients.map(({ header }) => header.kid);

  expect(kids).toEqual([...kids].sort());
});

test("the body is canonical", async () => {
  const { body } = await sealed();

  expect(canonical(JSON.parse(body))).toBe(body);
});

test("a key is wrapped for once however often it is given", async () => {
  expect(parsed(await sealed("hello", ["bob", "alice", "bob"])).recipients).toHaveLength(2);
});

test("nothing is drawn twice", async () => {
  const [first, second] = [JSON.parse((await sealed()).body), JSON.parse((await sealed()).body)];

  for (const member of ["iv", "ciphertext", "tag", "recipients"]) {
    expect(first[member]).not.toEqual(second[member]);
  }
});

test("a reader unwraps one block and never tries others", async () => {
  const made = await sealed("hello", ["bob", "carol", "dave"]);
  const decrypt = vi.spyOn(crypto.subtle, "decrypt");

  await openedBy(made, "mallory", "dave");

  const dave = await person("dave");
  const unwrapped = decrypt.mock.calls.filter(([algorithm]) => algorithm === "RSA-OAEP");
  expect(unwrapped.map(([, key]) => key)).toEqual([dave.sealing.private]);
  decrypt.mockRestore();
});

test("a message for an older key still opens", async () => {
  expect((await openedBy(await sealed("hello", ["bob"]), "carol", "bob")).content).toBe("hello");
});

test("sixty-four addressees and the author are served", async () => {
  const { sealing } = await person("alice");
  const made = await sealed("hello", [], { recipients: [sealing.public, ...strangers(MAX_READERS - 1)] });

  expect(parsed(made).recipients).toHaveLength(MAX_READERS);
  expect((await openedBy(made, "alice")).content).toBe("hello");
});

test.each([0, MAX_READERS + 1])("%i readers cannot be sealed for", async (count) => {
  await expect(sealed("hello", [], { recipients: strangers(count) })).rejects.toThrow(
    `want 1 to 65 readers' keys, got ${count}`,
  );
});

test.each([
  { cty: "" },
  { cty: "text plain" },
  { cty: "text/plain\n" },
  { cty: "\ud800" },
  { iss: "alice" },
  { skid: "alice" },
  { mid: "1" },
])("what no reader would accept is not sealed: %j", async (wrong) => {
  await expect(sealed("hello", ["bob"], wrong)).rejects.toThrow(CannotSeal);
});

test("half a surrogate pair is not sealed", async () => {
  await expect(sealed("\ud800")).rejects.toThrow(CannotSeal);
});

test("half a surrogate pair in a body is one more refusal", async () => {
  await expect(openedBy({ body: "\ud800", commitment: "" }, "alice")).rejects.toThrow(CannotOpen);
});

test("the largest body opens and a larger one is not made", async () => {
  const most = Math.floor(((262_144 - (await sealed("")).body.length) * 3) / 4);

  const made = await sealed("x".repeat(most - 4));

  expect(made.body.length).toBeGreaterThan(262_144 - 16);
  expect((await openedBy(made, "alice")).content).toHaveLength(most - 4);
  await expect(sealed("x".repeat(most + 4))).rejects.toThrow("262144 is the most");
});

/** A body that holds to the last bit, however large it is and for however many; `seal` makes none of them. */
async function forged(content: string, recipients: readonly SealingKey[]): Promise<Sealed> {
  const fk = new Uint8Array(32);
  const kids = recipients.map(sealingThumbprint).sort();
  const header = { ...headerOf(await sealed()), rcp: b64url(sha256(utf8(kids.join(".")))) };
  const ordered = JSON.parse(canonical(header));
  const jwe = new GeneralEncrypt(utf8(canonical({ content, fk: b64url(fk) }))).setProtectedHeader(ordered);
  for (const key of recipients) {
    const kid = sealingThumbprint(key);
    jwe.addRecipient(await importSealing(key)).setUnprotectedHeader({ alg: "RSA-OAEP-256", kid });
  }
  return { body: canonical(await jwe.encrypt()), commitment: commit(fk, content) };
}

test("a larger body is refused however valid", async () => {
  const { sealing } = await person("alice");
  const small = await forged("x", [sealing.public]);
  const large = await forged("x".repeat(262_144), [sealing.public]);

  expect((await openedBy(small, "alice")).content).toBe("x");
  await expect(openedBy(large, "alice")).rejects.toThrow(CannotOpen);
});

test("a body for one reader too many is refused however valid", async () => {
  const { sealing } = await person("alice");
  const most = await forged("x", [sealing.public, ...strangers(MAX_READERS - 1)]);
  const more = await forged("x", [sealing.public, ...strangers(MAX_READERS)]);

  expect((await openedBy(most, "alice")).content).toBe("x");
  await expect(openedBy(more, "alice")).rejects.toThrow(CannotOpen);
});

test("a wrapped key without its leading zeros is another body, and refused", async () => {
  // One key in 256 begins with a zero byte.
  for (;;) {
    const made = await sealed();
    const jwe = parsed(made);
    const bob = await person("bob");
    const block = jwe.recipients.find(({ header }) => header.kid === bob.sealing.kid);
    const wrapped = unb64url(block?.encrypted_key ?? "");
    if (!block || wrapped[0] !== 0) continue;
    expect((await openedBy(made, "bob")).content).toBe("hello");
    block.encrypted_key = b64url(wrapped.subarray(1));
    await expect(openedBy({ ...made, body: canonical(jwe) }, "bob")).rejects.toThrow(CannotOpen);
    return;
  }
});

test("a public key's thumbprint is the known one", async () => {
  for (const { name, sealing } of vectors<{ name: Name; sealing: string }[]>("thumbprints")) {
    expect(sealingThumbprint((await person(name)).sealing.public)).toBe(sealing);
  }
});
