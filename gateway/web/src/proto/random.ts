/** Where random bytes come from: handed in by tests, from the browser otherwise. */

import type { Bytes } from "./encoding";

/** Gives so many random bytes. */
export type Random = (count: number) => Bytes;

export const fresh: Random = (count) => crypto.getRandomValues(new Uint8Array(count));
