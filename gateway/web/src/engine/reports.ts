/** Reports: what the gateway counts and explains, for who asks. Only its word. */

import type { ContractView, LoadLine } from "../model";
import { accountIdShape } from "../proto/identity";
import { integer, list, nullable, open, text } from "../proto/shape";
import { termsShape } from "../proto/terms";
import type { TitleOf } from "./episodes";
import type { Gateway } from "./gateway";

/** `GET /v1/alerts/load`, by author and week (which begins on Monday, 00:00 UTC). */
const readLoad = open({
  weeks: list(
    open({
      author: accountIdShape,
      week: integer(),
      alerts: integer(),
      technical: integer(),
      taken: integer(),
      nobody: integer(),
      median_ms: nullable(integer()),
    }),
  ),
});

/** `GET /v1/contracts`. */
const readContracts = open({
  contracts: list(
    open({
      id: text(),
      hash: text(),
      kind: text(),
      installed: integer(),
      terms: termsShape,
      words: list(text()),
    }),
  ),
});

type Asked = Pick<Gateway, "ask">;

export async function alarmLoad(gateway: Asked, titleOf: TitleOf): Promise<readonly LoadLine[]> {
  const { weeks } = await gateway.ask("GET", "/v1/alerts/load", readLoad);
  return weeks
    .map(({ median_ms: median, ...line }) => ({ ...line, median, title: titleOf(line.author) }))
    .sort((one, other) => other.week - one.week || one.title.localeCompare(other.title));
}

export async function contracts(gateway: Asked, titleOf: TitleOf): Promise<readonly ContractView[]> {
  const answer = await gateway.ask("GET", "/v1/contracts", readContracts);
  return answer.contracts.map(({ terms, ...contract }) => {
    const steps = terms.kind === "escalate" ? terms.params.steps : [];
    return {
      ...contract,
      steps: steps.map(({ to, after }) => ({ party: to, title: titleOf(to), after })),
    };
  });
}
