import { expect, test } from "vitest";
import { ProtoError, Unverified } from "../../src/proto/errors";
import type { SigningKey } from "../../src/proto/identity";
import { type Accept, checkGroup, keyNamed, proveParty } from "../../src/proto/party";
import { parseReceipt, verifyReceipt } from "../../src/proto/receipt";
import { type IntentAnswer, readIntentAnswer, readParty } from "../../src/proto/wire";
import { vectors } from "./people";

interface Held {
  kid: string;
  index: number;
  at: number;
  by: string;
}

interface Chain {
  name: string;
  origin: string;
  key: string;
  refused?: true;
}

interface PartyCase extends Chain {
  kind: "party";
  party: unknown;
  proven: { role: string; kind: string; sign: string; seal: string | null; lineage: string[]; ever: Held[] };
}

interface AnswerCase extends Chain {
  kind: "answer";
  answer: unknown;
}

const cases = vectors<(PartyCase | AnswerCase)[]>("parties");
const parties = cases.filter((each) => each.kind === "party");
const answers = cases.filter((each) => each.kind === "answer");

/** Believes every checkpoint that the gateway signed: which history it is, is not what these cases are about. */
function acceptOf({ origin, key }: Chain): Accept {
  const gateway: SigningKey = { crv: "Ed25519", kty: "OKP", x: key };
  return async (text, leaf) => {
    const receipt = parseReceipt(text);
    await verifyReceipt(receipt, leaf, origin, gateway);
    return receipt;
  };
}

const prove = (given: PartyCase) => proveParty(readParty(given.party, "party"), acceptOf(given));

test.each(parties.filter((each) => !each.refused))("entries prove the keys of: $name", async (given) => {
  const { sign, seal, ever, ...proven } = await prove(given);

  expect({
    ...proven,
    sign: sign.x,
    seal: seal?.n ?? null,
    ever: ever.map(({ kid, index, at, by }) => ({ kid, index, at, by })),
  }).toEqual(given.proven);
});

test.each(parties.filter((each) => each.refused))("entries do not prove: $name", async (given) => {
  await expect(prove(given)).rejects.toThrow(ProtoError);
});

test("an older key is found by its name, and no other", async () => {
  const [, rotated] = parties;
  if (!rotated) throw new Error("no cases");
  const proven = await prove(rotated);

  for (const { kid, key } of proven.ever) expect(keyNamed(proven, kid)).toEqual(key);
  expect(proven.ever).toHaveLength(3);
  expect(() => keyNamed(proven, rotated.origin)).toThrow(Unverified);
});

/** All that stands between an answer and a message: whom the chain names, and the keys of each. */
async function addressed(given: AnswerCase): Promise<IntentAnswer> {
  const answer = readIntentAnswer(given.answer, "answer");
  await checkGroup(answer, acceptOf(given));
  for (const party of answer.recipients) await proveParty(party, acceptOf(given));
  return answer;
}

test.each(answers.filter((each) => !each.refused))(
  "the chain names the addressees of: $name",
  async (given) => {
    // It may have members that this reader does not ask for.
    expect(given.answer).toMatchObject(await addressed(given));
  },
);

test.each(answers.filter((each) => each.refused))("the chain does not name: $name", async (given) => {
  await expect(addressed(given)).rejects.toThrow(ProtoError);
});

test("a receipt that is not accepted ends it", async () => {
  const [given] = parties;
  if (!given) throw new Error("no cases");
  const refuse: Accept = () => Promise.reject(new Unverified("another history"));

  await expect(proveParty(readParty(given.party, "party"), refuse)).rejects.toThrow("another history");
});
