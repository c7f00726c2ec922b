/**
 * A message that is handed on to somebody for whom it was not sealed (docs/protocol.md section 5).
 *
 * Whoever hands it on cannot change it: the original entry, which its own author signed, commits to what was said.
 */

import { canonical, readJson, unb64urlHash } from "./encoding";
import { entryIdShape } from "./entry";
import { Malformed, Unverified } from "./errors";
import { commit, type OpenedBody, type Unsealed } from "./sealing";
import { mapped, strict, text } from "./shape";

export const FORWARD = "application/vnd.blockpost.forward+json";

const forwardShape = strict({
  about: entryIdShape,
  content: text(),
  cty: text({ pattern: /^[!-~]{1,127}$/ }),
  fk: mapped(text(), unb64urlHash),
});

/** The content of a message that hands on the one at `about`; whoever writes it has opened that one. */
export function writeForward(
  about: string,
  { content, cty, fk }: Unsealed,
): { cty: string; content: string } {
  return { cty: FORWARD, content: canonical({ about, content, cty, fk }) };
}

/** `Malformed` if it is no forward. What it hands on is not proven yet. */
export function checkForward(content: string): void {
  forwardShape(readJson(content, "forward"), "forward");
}

/**
 * What the message `about` says, which commits to it by `commitment`. Raises `Malformed` if `content` is no forward, or
 * hands on another one, and `Unverified` if that message's author did not say it.
 */
export function readForward(content: string, about: string, commitment: string): OpenedBody {
  const said = forwardShape(readJson(content, "forward"), "forward");
  if (said.about !== about) throw new Malformed("forward: it hands on another message");
  if (said.cty === FORWARD) throw new Malformed("forward: it hands on one that hands on");
  if (commit(said.fk, said.content) !== commitment)
    throw new Unverified("forward: not what the message commits to");
  return { content: said.content, cty: said.cty };
}
