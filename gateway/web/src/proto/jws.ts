/** Compact JWS (RFC 7515) with the one algorithm permitted here, Ed25519 (RFC 9864). */

import { type Bytes, b64url, canonical, fromUtf8, readCanonical, unb64url, utf8 } from "./encoding";
import { Malformed, Unverified } from "./errors";
import { type SigningKey, signingThumbprint, thumbprintShape, verifySignature } from "./identity";
import { memo } from "./memo";
import { literal, type Of, strict, text } from "./shape";

/** What kind of statement it is: one never passes for another. */
export type Typ = "blockpost-entry" | "blockpost-refusal" | "blockpost-token+jwt";

/** Makes the 64-byte Ed25519 signature of a message. */
export type Signer = (message: Bytes) => Promise<Bytes>;

export const SIGNATURE_BYTES = 64;
/** header.payload.signature */
const PARTS = 3;

const readHeader = strict({ alg: literal("Ed25519"), kid: thumbprintShape, typ: text({ max: 40 }) });
type Header = Of<typeof readHeader>;

/** A parsed, not yet verified, JWS. `signed` is the ASCII input of the signature. */
export interface Jws {
  typ: Typ;
  /** The thumbprint of the key that is said to have signed it. */
  kid: string;
  payload: string;
  signed: Bytes;
  signature: Bytes;
}

export async function sign(typ: Typ, kid: string, payload: string, signer: Signer): Promise<string> {
  const header = canonical({ alg: "Ed25519", kid, typ });
  const signed = `${b64url(utf8(header))}.${b64url(utf8(payload))}`;
  return `${signed}.${b64url(await signer(utf8(signed)))}`;
}

/** Reads a JWS of the given type. The signature is not checked here. */
export function parse(jws: string, typ: Typ): Jws {
  const parts = jws.split(".", PARTS + 1);
  const [head, body, tail] = parts;
  if (parts.length !== PARTS || head === undefined || body === undefined || tail === undefined) {
    throw new Malformed(`${typ}: want ${PARTS} parts of a compact JWS`);
  }
  const header = headerOf(head);
  if (header.typ !== typ) throw new Malformed(`JWS: want typ ${typ}, got another`);
  const signature = unb64url(tail, "JWS signature");
  if (signature.length !== SIGNATURE_BYTES) {
    throw new Malformed(`JWS signature: want ${SIGNATURE_BYTES} bytes, got ${signature.length}`);
  }
  const payload = fromUtf8(unb64url(body, "JWS payload"));
  return { typ, kid: header.kid, payload, signed: utf8(`${head}.${body}`), signature };
}

/** Raises `Unverified` unless `key` made the signature and the header names it. */
export async function verify(jws: Jws, key: SigningKey): Promise<void> {
  const kid = signingThumbprint(key);
  if (jws.kid !== kid) throw new Unverified(`${jws.typ}: signed with ${jws.kid}, not with ${kid}`);
  await verifySignature(key, jws.signature, jws.signed);
}

/** All that one key signs begins with the same header. */
const headerOf = memo((spelled): Header => {
  const json = fromUtf8(unb64url(spelled, "JWS header"));
  return readHeader(readCanonical(json, "JWS header"), "JWS header");
});
