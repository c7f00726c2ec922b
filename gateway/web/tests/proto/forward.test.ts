import { expect, test } from "vitest";
import { newEntryId } from "../../src/proto/entry";
import { Malformed, Unverified } from "../../src/proto/errors";
import { FORWARD, readForward, writeForward } from "../../src/proto/forward";
import { openSealed, outsideOf, seal, unseal } from "../../src/proto/sealing";
import { person } from "./people";

const [device, lee, kim] = await Promise.all([person("alice"), person("bob"), person("carol")]);
const mid = newEntryId(0);
const sealed = await seal("9.4 °C", {
  cty: "text/plain",
  iss: device.account,
  skid: device.signing.kid,
  mid,
  recipients: [lee.sealing.public],
});
const entry = {
  keys: new Map([[lee.sealing.kid, lee.sealing.private]]),
  signer: device.signing.kid,
  author: device.account,
  mid,
  commitment: sealed.commitment,
};
const handedOn = writeForward(mid, await unseal(sealed.body, entry));

test("what was handed on reads as its author said it", () => {
  expect(handedOn.cty).toBe(FORWARD);
  expect(readForward(handedOn.content, mid, sealed.commitment)).toEqual({
    content: "9.4 °C",
    cty: "text/plain",
  });
});

test("other words than the author's are refused", () => {
  const changed = handedOn.content.replace("9.4", "4.9");

  expect(() => readForward(changed, mid, sealed.commitment)).toThrow(Unverified);
});

test("what is handed on belongs to one message alone", () => {
  expect(() => readForward(handedOn.content, newEntryId(0), sealed.commitment)).toThrow(Malformed);
});

test("one that hands on another one that does is refused", () => {
  const { content } = writeForward(mid, { content: "9.4 °C", cty: FORWARD, fk: "A".repeat(43) });

  expect(() => readForward(content, mid, sealed.commitment)).toThrow("hands on one that hands on");
});

test("who only reads is not given what proves it to others", async () => {
  expect(await openSealed(sealed.body, entry)).toEqual({ content: "9.4 °C", cty: "text/plain" });
});

test("a sealed body says outside what kind it is, and who can open it", () => {
  expect(outsideOf(sealed.body)).toEqual({ cty: "text/plain", kids: [lee.sealing.kid] });
  expect(outsideOf(sealed.body)?.kids).not.toContain(kim.sealing.kid);
});

test.each(["", "{}", "null", sealed.body.replace("RSA-OAEP-256", "RSA1_5"), `${sealed.body} `])(
  "what is no sealed body says nothing: %#",
  (body) => {
    expect(outsideOf(body)).toBeNull();
  },
);
