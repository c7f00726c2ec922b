/** The REST documents that only the page reads, each with its reader. All others are in `proto/wire.ts`. */

import { thumbprintShape } from "../proto/identity";
import { integer, type Of, open, text } from "../proto/shape";

/** `GET /v1/chain/blocks/<height>`. The header stays as it came: it is hashed before it is believed. */
export const readBlock = open({
  header: (value: unknown) => value,
  hash: thumbprintShape,
});
export type Block = Of<typeof readBlock>;

/** What a block header says of where the block is, and when it was cut. */
export const readHeader = open({
  id: integer(),
  timestamp: integer(),
  first: integer(),
  count: integer(1),
  size: integer(1),
  root: text(),
});
export type Header = Of<typeof readHeader>;
