/**
 * The page's half of `tests/integration/test_page_sealing.py`: reads what Python wrapped and sealed from standard
 * input, and writes what the page made of it, and wraps and seals itself, to standard output.
 */

import { text } from "node:stream/consumers";
import { unwrapBackup, wrapBackup } from "../../src/proto/backup";
import { b64url, unb64url, utf8 } from "../../src/proto/encoding";
import type { SealingKey } from "../../src/proto/identity";
import { generateKeys, readKeyFile, signerOf } from "../../src/proto/keyfile";
import { derivePassword } from "../../src/proto/password";
import { deriveRecovery, newRecoveryCode, readRecoveryCode } from "../../src/proto/recovery";
import { openSealed, seal } from "../../src/proto/sealing";

interface Asked {
  password: string;
  salt: string;
  recovery: string;
  backups: { password: string; recovery: string };
  sealed: { body: string; signer: string; author: string; mid: string; commitment: string };
  say: { content: string; cty: string; mid: string; to: SealingKey };
}

const asked: Asked = JSON.parse(await text(process.stdin));

const derived = await derivePassword(asked.password, unb64url(asked.salt));
const restored = await readKeyFile(await unwrapBackup(asked.backups.password, derived.wrap));
const written = deriveRecovery(readRecoveryCode(asked.recovery));
const recovered = await readKeyFile(await unwrapBackup(asked.backups.recovery, written.wrap));
const { sealing } = restored;
const opened = await openSealed(asked.sealed.body, {
  ...asked.sealed,
  keys: new Map([[sealing.kid, sealing.private]]),
});

const { file, keys } = await generateKeys();
const recovery = newRecoveryCode();
const { say } = asked;
const sealed = await seal(say.content, {
  cty: say.cty,
  iss: keys.account,
  skid: keys.signing.kid,
  mid: say.mid,
  recipients: [keys.sealing.public, say.to],
});

const answer = {
  restored: { account: restored.account, auth: derived.auth },
  recovered: { account: recovered.account, auth: written.auth },
  opened,
  made: { account: keys.account, sign: keys.signing.public, seal: keys.sealing.public },
  backups: {
    password: await wrapBackup(file, derived.wrap),
    recovery: await wrapBackup(file, deriveRecovery(readRecoveryCode(recovery)).wrap),
  },
  recovery,
  sealed,
  signature: b64url(await signerOf(keys)(utf8(say.content))),
};
process.stdout.write(JSON.stringify(answer));
