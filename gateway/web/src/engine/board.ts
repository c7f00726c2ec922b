/**
 * The board: holds the `View`, and calls back when it changed.
 *
 * Many things change within one turn; the page is told once, after it.
 */

import type { Trouble, View } from "../model";

const EMPTY: View = {
  stage: { name: "starting" },
  me: null,
  lamp: "connecting",
  halted: null,
  site: null,
  catchingUp: null,
  alerts: [],
  friends: [],
  duty: null,
  unsent: [],
  sound: "silent",
  troubles: [],
};

export class Board {
  #view: View = EMPTY;
  #watchers = new Set<() => void>();
  #told = true;
  #lastTrouble = 0;

  view(): View {
    return this.#view;
  }

  subscribe(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Put new parts on it. Parts that are the same objects as before are no change. */
  show(parts: Partial<View>): void {
    const before = this.#view;
    const changed = (Object.keys(parts) as (keyof View)[]).some((name) => before[name] !== parts[name]);
    if (changed) this.#replace({ ...before, ...parts });
  }

  /** Conversations are no parts of the view: what changed in them is told by a new view with the same parts. */
  nudge(): void {
    this.#replace({ ...this.#view });
  }

  #replace(view: View): void {
    this.#view = view;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** Tell the person of something that went wrong, unless it is told already. */
  complain(text: string): void {
    const { troubles } = this.#view;
    if (troubles.some((trouble) => trouble.text === text)) return;
    this.#lastTrouble += 1;
    const trouble: Trouble = { id: this.#lastTrouble, text };
    this.show({ troubles: [...troubles, trouble] });
  }

  dismiss(trouble: number): void {
    this.show({ troubles: this.#view.troubles.filter((each) => each.id !== trouble) });
  }

  /** Forget everything that belonged to who was here. */
  clear(): void {
    const { stage, site, sound } = this.#view;
    this.show({ ...EMPTY, stage, site, sound });
  }
}
