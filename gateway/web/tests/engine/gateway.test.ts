import { expect, test, vi } from "vitest";
import { Gateway } from "../../src/engine/gateway";

function answering(answer: () => Response | Promise<Response>) {
  const asked: [string, RequestInit][] = [];
  const gateway = new Gateway(async (input, init) => {
    asked.push([String(input), init ?? {}]);
    return await answer();
  });
  return { gateway, asked };
}

const problem = (status: number, more: object) =>
  new Response(JSON.stringify({ type: "t", title: "no", status, detail: "why", ...more }), { status });

test("a question goes to where the page came from, with its session, and without a cache", async () => {
  const { gateway, asked } = answering(() => Response.json({ size: 1, path: [] }));

  await gateway.consistency(1, 2);

  expect(asked).toMatchObject([
    [
      "/v1/chain/consistency?from=1&to=2",
      { method: "GET", credentials: "same-origin", cache: "no-store", body: null },
    ],
  ]);
});

test("what is said is JSON", async () => {
  const { gateway, asked } = answering(() => Response.json({ salt: "AAAAAAAAAAAAAAAAAAAAAA" }));

  await gateway.salt("lee");

  expect(asked[0]?.[1]).toMatchObject({
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"handle":"lee"}',
  });
});

test("an answer without content is one", async () => {
  const { gateway, asked } = answering(() => new Response(null, { status: 204 }));

  await gateway.logout();

  expect(asked[0]?.[1].body).toBe("{}");
});

test("who has no session yet shows a token", async () => {
  const { gateway, asked } = answering(() => new Response("note"));

  await gateway.as(async () => "secret").checkpoint();

  expect(asked[0]?.[1].headers).toMatchObject({ Authorization: "Bearer secret" });
});

test("a problem is raised with its rule and the gateway's signed word", async () => {
  const { gateway } = answering(() => problem(409, { rule: "history", refusal: "jws" }));

  await expect(gateway.checkpoint()).rejects.toMatchObject({
    name: "Problem",
    ...{ status: 409, detail: "why", rule: "history", refusal: "jws" },
  });
});

test("what somebody between us and the gateway says is a problem all the same", async () => {
  const { gateway } = answering(() => new Response("<html>", { status: 404 }));

  await expect(gateway.checkpoint()).rejects.toMatchObject({
    status: 404,
    detail: "HTTP status 404",
    rule: null,
  });
});

test.each([503, 504])("a gateway that answers %i is away", async (status) => {
  const { gateway } = answering(() => problem(status, {}));

  await expect(gateway.checkpoint()).rejects.toMatchObject({ name: "Unreachable" });
});

test("no answer is no answer", async () => {
  const { gateway } = answering(() => Promise.reject(new TypeError("Failed to fetch")));

  await expect(gateway.checkpoint()).rejects.toMatchObject({ name: "Unreachable" });
});

test("an answer of another form is none that we know", async () => {
  for (const text of ["<html>", "[]", '{"size":-1,"path":[]}']) {
    const { gateway } = answering(() => new Response(text));
    await expect(gateway.consistency(1, 2)).rejects.toMatchObject({ name: "Malformed" });
  }
});

test("an answer that gained a member is still read", async () => {
  const { gateway } = answering(() => Response.json({ size: 1, path: [], more: true }));

  expect(await gateway.consistency(1, 2)).toEqual({ size: 1, path: [] });
});

test("a question is given up in time, an event stream is not", async () => {
  const timeout = vi.spyOn(AbortSignal, "timeout");
  const { gateway, asked } = answering(() => new Response("note"));

  await gateway.checkpoint();
  const mine = new AbortController();
  await gateway.events(7, mine.signal);

  expect(timeout).toHaveBeenCalledExactlyOnceWith(10_000);
  expect(asked[1]).toMatchObject(["/v1/events?all=true&after=7", { signal: mine.signal }]);
});
