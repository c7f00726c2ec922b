/**
 * Sealed bodies: what only its addressees can read (JWE General JSON), as in `device/sealing.py`.
 *
 * Who wrote it, in which entry, and for which readers is bound inside; what it says is bound to the entry by
 * `commitment`, which every reader recomputes: AES-GCM alone lets a cheat make one body that two readers open
 * to two texts.
 */

import { flattenedDecrypt } from "jose/jwe/flattened/decrypt";
import { GeneralEncrypt } from "jose/jwe/general/encrypt";
import {
  type Bytes,
  b64url,
  canonical,
  fromUtf8,
  HASH_BYTES,
  hmac256,
  readCanonical,
  sha256,
  unb64url,
  unb64urlHash,
  utf8,
} from "./encoding";
import { entryIdShape, hashShape, MAX_BODY_BYTES, MAX_MEMBERS } from "./entry";
import { CannotOpen, CannotSeal, Malformed, Unverified } from "./errors";
import {
  accountIdShape,
  importSealing,
  type SealingKey,
  sealingThumbprint,
  thumbprintShape,
} from "./identity";
import { fresh, type Random } from "./random";
import { list, literal, mapped, type Of, type Shape, strict, text } from "./shape";

/** The addressees' keys, and the sender's own. */
export const MAX_READERS = MAX_MEMBERS + 1;

const ALG = "RSA-OAEP-256";
const ENC = "A256GCM";
const PINNED = { keyManagementAlgorithms: [ALG], contentEncryptionAlgorithms: [ENC] };

/** base64url, as text: jose reads it again, but takes other spellings as well. */
const encodedShape: Shape<string> = mapped(text(), (encoded, what) => {
  unb64url(encoded, what);
  return encoded;
});

// The members stand in the order of canonical JSON: jose writes a header in the order that it is given.
const headerShape = strict({
  cty: text({ pattern: /^[!-~]{1,127}$/ }),
  enc: literal(ENC),
  iss: accountIdShape,
  mid: entryIdShape,
  rcp: hashShape,
  skid: thumbprintShape,
  typ: literal("blockpost-message"),
});

const jweShape = strict({
  ciphertext: encodedShape,
  iv: encodedShape,
  protected: encodedShape,
  recipients: list(
    strict({
      encrypted_key: text(),
      header: strict({ alg: literal(ALG), kid: thumbprintShape }),
    }),
    1,
    MAX_READERS,
  ),
  tag: encodedShape,
});

const plaintextShape = strict({ content: text(), fk: mapped(text(), unb64urlHash) });

type Header = Of<typeof headerShape>;
type Plaintext = Of<typeof plaintextShape>;

/** `body` goes with the entry, `commitment` goes into it. */
export interface Sealed {
  body: string;
  commitment: string;
}

/** What the entry will say, and the keys of its addressees and of its author. */
export interface Sealing {
  cty: string;
  /** The author's account. */
  iss: string;
  /** Thumbprint of the author's signing key. */
  skid: string;
  /** The entry's id. */
  mid: string;
  recipients: readonly SealingKey[];
}

/** What was said, and `cty`, which says what kind of string it is. */
export interface OpenedBody {
  content: string;
  cty: string;
}

/** The same with `fk`, in base64url: all that it takes to prove to others what was said. */
export interface Unsealed extends OpenedBody {
  fk: string;
}

/** What the entry says that a body came with, and the reader's own keys, by `kid`. */
export interface Opening {
  keys: ReadonlyMap<string, CryptoKey>;
  /** The `kid` that verified the entry's signature. */
  signer: string;
  author: string;
  mid: string;
  commitment: string;
}

/** What binds `content`: HMAC-SHA256(fk, UTF-8 of content), `fk` being 32 random bytes. */
export function commit(fk: Bytes, content: string): string {
  return b64url(hmac256(fk, utf8(content)));
}

/** `CannotSeal` if what it is for, the content or the number of keys are not what a reader would accept. */
export async function seal(content: string, what: Sealing, random: Random = fresh): Promise<Sealed> {
  const byKid = new Map(what.recipients.map((key) => [sealingThumbprint(key), key]));
  const readers = [...byKid].sort(([one], [other]) => (one < other ? -1 : 1));
  if (readers.length < 1 || readers.length > MAX_READERS) {
    throw new CannotSeal(`want 1 to ${MAX_READERS} readers' keys, got ${readers.length}`);
  }
  const fk = random(HASH_BYTES);
  const { header, plaintext, commitment } = acceptable(content, what, [...byKid.keys()], fk);
  const jwe = new GeneralEncrypt(plaintext).setProtectedHeader(header);
  for (const [kid, key] of readers) {
    jwe.addRecipient(await importSealing(key)).setUnprotectedHeader({ alg: ALG, kid });
  }
  const body = canonical(await jwe.encrypt());
  if (body.length > MAX_BODY_BYTES) {
    throw new CannotSeal(`sealed it would be ${body.length} bytes, and ${MAX_BODY_BYTES} is the most`);
  }
  return { body, commitment };
}

function acceptable(content: string, { cty, iss, skid, mid }: Sealing, kids: readonly string[], fk: Bytes) {
  const header = { cty, enc: ENC, iss, mid, rcp: readersHash(kids), skid, typ: "blockpost-message" };
  try {
    return {
      header: headerShape(header, "header"),
      plaintext: utf8(canonical({ content, fk: b64url(fk) })),
      commitment: commit(fk, content),
    };
  } catch (error) {
    throw new CannotSeal("no reader would accept it", { cause: error });
  }
}

/** Opens a body with one of the reader's own keys, for the entry that it came with; or `CannotOpen`. */
export async function openSealed(body: string, entry: Opening): Promise<OpenedBody> {
  const { content, cty } = await unseal(body, entry);
  return { content, cty };
}

/** The same for somebody who hands it on. */
export async function unseal(body: string, entry: Opening): Promise<Unsealed> {
  try {
    return await opened(body, entry);
  } catch {
    // All that jose and WebCrypto raise, too: there is one answer.
    throw new CannotOpen();
  }
}

async function opened(body: string, entry: Opening): Promise<Unsealed> {
  const { header, plaintext } = await decrypted(body, entry.keys);
  if (header.skid !== entry.signer || header.iss !== entry.author || header.mid !== entry.mid) {
    throw new Unverified("body: sealed by another, or for another entry");
  }
  if (commit(plaintext.fk, plaintext.content) !== entry.commitment) {
    throw new Unverified("body: not what the entry commits to");
  }
  return { content: plaintext.content, cty: header.cty, fk: b64url(plaintext.fk) };
}

/** Everything that the body itself can tell; jose is given a block only when the form of all of it holds. */
async function decrypted(
  body: string,
  keys: ReadonlyMap<string, CryptoKey>,
): Promise<{ header: Header; plaintext: Plaintext }> {
  if (utf8(body).length > MAX_BODY_BYTES) throw new Malformed(`body: at most ${MAX_BODY_BYTES} bytes`);
  const { recipients, ...shared } = jweShape(readCanonical(body, "body"), "body");
  const header = headerShape(readCanonical(fromUtf8(unb64url(shared.protected)), "header"), "header");
  const blocks = new Map(recipients.map((block) => [block.header.kid, block]));
  if (blocks.size !== recipients.length) throw new Malformed("body: twice for one reader");
  if (readersHash([...blocks.keys()]) !== header.rcp) {
    throw new Malformed("body: these are not the readers that its author sealed it for");
  }
  const mine = [...blocks.values()].find((block) => keys.has(block.header.kid));
  const key = mine && keys.get(mine.header.kid);
  if (!mine || !key) throw new Malformed("body: not for this reader");
  checkEncryptedKey(mine.encrypted_key, key);
  // Where the key does not unwrap, jose goes on with a random one (RFC 7516 section 11.5).
  const { plaintext } = await flattenedDecrypt({ ...shared, ...mine }, key, PINNED);
  return { header, plaintext: plaintextShape(readCanonical(fromUtf8(plaintext), "plaintext"), "plaintext") };
}

/** Some engines put zeros before a wrapped key that is too short: two bodies would be one. */
function checkEncryptedKey(encrypted: string, key: CryptoKey): void {
  const { modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
  if (unb64url(encrypted, "encrypted key").length !== Math.ceil(modulusLength / 8)) {
    throw new Malformed("body: its encrypted key is not as long as the key that made it");
  }
}

/**
 * What a body says outside of the seal: its content type, and the `kid`s of those who can open it. It may be more than
 * its author said: nothing but opening it proves that. Null if it is no sealed body.
 */
export function outsideOf(body: string): { cty: string; kids: string[] } | null {
  try {
    const { recipients, ...shared } = jweShape(readCanonical(body, "body"), "body");
    const { cty } = headerShape(readCanonical(fromUtf8(unb64url(shared.protected)), "header"), "header");
    return { cty, kids: recipients.map(({ header: { kid } }) => kid) };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function readersHash(kids: readonly string[]): string {
  return b64url(sha256(utf8(kids.toSorted().join("."))));
}
