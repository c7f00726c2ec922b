/** Asking the gateway again: once at a time, and once for all who want it while it is being asked. */

export class Refresh {
  #asking: Promise<void> | null = null;
  #again = false;

  /** With `pause` (ms), what comes in quick succession is asked for once. */
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
      if (this.pause > 0) await new Promise((done) => setTimeout(done, this.pause));
      this.#again = false;
      await this.ask();
    }
  }
}
