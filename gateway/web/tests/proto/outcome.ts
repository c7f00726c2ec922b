import { ProtoError } from "../../src/proto/errors";

/** What came of it: the answer, or the name of our error. Any other error goes on: it is a fault of the page. */
export function outcomeOf(attempt: () => string): string {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof ProtoError) return error.name;
    throw error;
  }
}
