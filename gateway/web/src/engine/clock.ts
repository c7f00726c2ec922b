/** The gateway's clock: what it will hold against its own time must not depend on how a tablet's clock is set. */

import type { World } from "./world";

/** The gateway's time in ms, as it was told just now. */
export async function gatewayNow(world: Pick<World, "gateway" | "now">): Promise<() => number> {
  const asked = world.now();
  const { now } = await world.gateway.site();
  return () => now + world.now() - asked;
}
