/**
 * The lock: a page that nobody used for a while shows nothing until its person's password is given.
 *
 * The session goes on behind it, and its alerts go on sounding. All tabs of a browser are locked together, and to load
 * the page again does not unlock it.
 */

import type { Me, Stage } from "../model";
import { checkPassword } from "./credentials";
import { askProfile, cardOf } from "./restoring";
import type { Session } from "./session";
import type { World } from "./world";

export class Lock {
  constructor(
    private readonly world: World,
    private readonly session: () => Session,
  ) {}

  /** Where somebody is who would be at `stage` if the page was not locked. */
  stage(me: Me, stage: Stage): Stage {
    return this.world.visitors.isLocked(me.account) ? { name: "locked", handle: me.handle } : stage;
  }

  lock(): void {
    const { board, visitors } = this.world;
    const { stage, me } = board.view();
    if (!me || stage.name !== "home") return;
    visitors.lock(me.account);
    this.follow();
  }

  /** Asks nobody, if the own profile is here: the gateway may be away. */
  async unlock(password: string): Promise<void> {
    const { store } = this.session();
    await checkPassword(cardOf((await store.profile()) ?? (await askProfile(this.world))), password);
    this.world.visitors.unlock();
    this.follow();
  }

  /** Another tab may have locked or unlocked all of them. */
  follow(): void {
    const { board } = this.world;
    const { stage, me } = board.view();
    if (!me || (stage.name !== "home" && stage.name !== "locked")) return;
    const wanted = this.stage(me, { name: "home" });
    if (wanted.name !== stage.name) board.show({ stage: wanted });
  }
}
