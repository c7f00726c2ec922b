import { expect, test, vi } from "vitest";
import { EventParser, readEvents, type StreamEvent } from "../../src/engine/stream";
import { utf8 } from "../../src/proto/encoding";

const TEXT =
  'retry: 2000\n\nid: 7\nevent: entry\ndata: {"a":1}\n\n:\n\nevent: head\r\ndata: one\r\ndata:two\r\n\r\ndata: ö\r\rdata\n\n';
const EVENTS: StreamEvent[] = [
  { name: "entry", data: '{"a":1}' },
  { name: "head", data: "one\ntwo" },
  { name: "message", data: "ö" },
  { name: "message", data: "" },
];

test("events are read, comments and what else there is are not", () => {
  expect(new EventParser().feed(TEXT)).toEqual(EVENTS);
});

test("wherever the network cuts the text, the events are the same", () => {
  for (let cut = 0; cut <= TEXT.length; cut += 1) {
    const parser = new EventParser();
    expect([...parser.feed(TEXT.slice(0, cut)), ...parser.feed(TEXT.slice(cut))]).toEqual(EVENTS);
  }
});

test("an event that did not end is none", () => {
  expect(new EventParser().feed("event: entry\ndata: half\n")).toEqual([]);
});

async function all(stream: ReadableStream<Uint8Array>): Promise<StreamEvent[]> {
  const found: StreamEvent[] = [];
  for await (const events of readEvents(stream)) found.push(...events);
  return found;
}

test("letters that are cut in the middle are put together again", async () => {
  const bytes = utf8("data: grün\n\n");
  const stream = new ReadableStream<Uint8Array>({
    start(out) {
      for (const byte of bytes) out.enqueue(Uint8Array.of(byte));
      out.close();
    },
  });

  expect(await all(stream)).toEqual([{ name: "message", data: "grün" }]);
});

test("a stream that breaks is no answer", async () => {
  const stream = new ReadableStream<Uint8Array>({
    start: (out) => out.error(new TypeError("network error")),
  });

  await expect(all(stream)).rejects.toMatchObject({ name: "Unreachable" });
});

test("a stream that is silent for too long is given up, one that says nothing but comments is not", async () => {
  vi.useFakeTimers();
  try {
    let speak: () => void = () => undefined;
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      start: (out) => {
        speak = () => out.enqueue(utf8(":\n\n"));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    let error: unknown = null;
    const reading = all(stream).catch((raised: unknown) => {
      error = raised;
    });

    for (let i = 0; i < 10; i += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      speak();
    }
    expect(error).toBeNull();
    await vi.advanceTimersByTimeAsync(41_000);
    await reading;

    expect(error).toMatchObject({ name: "Unreachable" });
    expect(cancelled).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
