/** Asks for a list again: what others did meanwhile does not show by itself. */
import { Button } from "../parts/Button";
import type { Load } from "../parts/load";

export function Refresh({ load }: { load: Pick<Load<unknown>, "busy" | "again"> }) {
  return <Button look="quiet" icon="refresh" label="Refresh" busy={load.busy} onClick={load.again} />;
}
