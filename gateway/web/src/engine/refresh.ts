/** Asking the gateway again: once at a time, and once for all who want it meanwhile. */

export class Refresh {
  #asking: Promise<void> | null = null;
  #again = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** It is asked at once, but not more often than every `pause` ms. */
  constructor(
    private readonly ask: () => Promise<void>,
    private readonly pause = 0,
  ) {}

  /** Resolves with an answer that is no older than the question. Raises what `ask` does. */
  async now(): Promise<void> {
    this.#again = true;
    this.#asking ??= this.#run().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      const wait = this.#askedAt + this.pause - performance.now();
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      this.#again = false;
      this.#askedAt = performance.now();
      await this.ask();
    }
  }
}
