/** Randomness that follows from a seed: a failure happens again. */

export class Dice {
  #state = 0;

  constructor(seed: string) {
    for (const letter of seed) this.#state = Math.imul(this.#state, 31) + letter.charCodeAt(0);
  }

  /** From 0 to below `count` (mulberry32). */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** The bytes with one of them changed, put in, or taken out. */
  damage(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length);
    const taken = this.below(2);
    const put = this.bytes(this.below(2) || 1 - taken);
    return Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + taken)]);
  }

  /** The text with one of its letters changed, put in, or taken out: for another one, or for any unit whatever. */
  damageText(text: string): string {
    const at = this.below(text.length);
    const unit = this.below(2)
      ? text.charCodeAt(this.below(text.length))
      : this.below(2 ** (this.below(2) ? 7 : 16));
    const put = this.below(4) ? String.fromCharCode(unit) : "";
    return text.slice(0, at) + put + text.slice(at + this.below(2));
  }
}
