/**
 * Server-sent events, read from `fetch` (WHATWG HTML section 9.2.6).
 *
 * Not with `EventSource`: that one shows neither the status of a refusal nor the comments by which a quiet stream says
 * that it is alive.
 */

import { Unreachable } from "./errors";

export interface StreamEvent {
  name: string;
  data: string;
}

/** Cuts the text into events, whichever way the network cut it before. */
export class EventParser {
  #rest = "";
  #name = "";
  #data: string[] = [];

  feed(text: string): StreamEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): StreamEvent | null {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    // `id` and `retry` are for who keeps no index of their own.
    if (field === "data") this.#data.push(value);
    return null;
  }

  #end(): StreamEvent | null {
    const event =
      this.#data.length > 0 ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
    this.#name = "";
    this.#data = [];
    return event;
  }
}

/** The gateway breaks a silence after 15 s. */
export const SILENCE_MS = 40_000;

/**
 * Reads events, all that came at once together, until the stream ends or is silent for too long: then it raises
 * `Unreachable`.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  silence = SILENCE_MS,
): AsyncGenerator<StreamEvent[], void, void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silence);
      if (done) return;
      yield parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    // It may be broken already: nobody waits for what that says.
    reader.cancel().catch(() => undefined);
  }
}

async function within<T>(reading: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreachable("the event stream is silent")), ms);
  });
  try {
    return await Promise.race([reading, silent]);
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable("the event stream broke", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
