/**
 * What can go wrong in the protocol, by what the caller will do about it.
 *
 * - `ProtoError`
 *   - `Malformed`: the text does not parse, or is not in the one permitted form
 *   - `Unverified`: it parses, but a signature, hash or proof does not hold
 *   - `TwoHistories`: the gateway showed a history that does not continue the one it showed before
 *   - `CannotSeal`: this content cannot be sealed for these readers
 *   - `CannotOpen`: a sealed body does not open, for a reason that is never told
 */

export class ProtoError extends Error {
  // A build shortens the names of classes; logs and tests want these.
  override readonly name: string = "ProtoError";
}

export class Malformed extends ProtoError {
  override readonly name = "Malformed";
}

export class Unverified extends ProtoError {
  override readonly name = "Unverified";
}

export class TwoHistories extends ProtoError {
  override readonly name = "TwoHistories";
}

export class CannotSeal extends ProtoError {
  override readonly name = "CannotSeal";
}

/**
 * One message for wrong key, wrong tag, wrong padding and wrong author: a sender who can tell them apart can ask
 * a reader questions about other people's messages.
 */
export class CannotOpen extends ProtoError {
  override readonly name = "CannotOpen";

  constructor() {
    super("this message cannot be opened");
  }
}
