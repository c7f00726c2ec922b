/**
 * Who was here: a browser may be used by several people, one after the other.
 *
 * Kept outside of IndexedDB, so that a browser that lost its keys knows that it had some.
 */

export interface Visitor {
  account: string;
  handle: string;
}

/** The part of `localStorage` that is used. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const LAST = "blockpost.last";
const KEYED = "blockpost.keyed.";
const LOCKED = "blockpost.locked";

export class Visitors {
  constructor(private readonly shelf: Shelf) {}

  /** Who was here last. */
  last(): Visitor | null {
    const text = this.shelf.getItem(LAST);
    const [account, handle] = text === null ? [] : text.split(" ");
    return account && handle ? { account, handle } : null;
  }

  remember(visitor: Visitor): void {
    this.shelf.setItem(LAST, `${visitor.account} ${visitor.handle}`);
  }

  /** Whether this browser ever had the keys of `account`, and was not told to forget them. */
  hadKeys(account: string): boolean {
    return this.shelf.getItem(KEYED + account) !== null;
  }

  rememberKeys(account: string): void {
    this.shelf.setItem(KEYED + account, "yes");
  }

  /** Whether the page was locked: to load it again does not unlock it. */
  isLocked(): boolean {
    return this.shelf.getItem(LOCKED) !== null;
  }

  lock(locked: boolean): void {
    if (locked) this.shelf.setItem(LOCKED, "yes");
    else this.shelf.removeItem(LOCKED);
  }

  forget(account: string): void {
    this.shelf.removeItem(KEYED + account);
    if (this.last()?.account === account) this.shelf.removeItem(LAST);
  }
}
