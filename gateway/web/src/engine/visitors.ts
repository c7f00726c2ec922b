/**
 * Who was here: a browser may be used by several people, one after the other, each in any number of tabs.
 *
 * Kept outside of IndexedDB, so that a browser that lost its keys knows that it had some; and on disk at once, so that
 * what was begun is finished by the next page that is opened.
 */

export interface Visitor {
  account: string;
  handle: string;
}

/** Somebody logged out, and the gateway does not know it yet. */
export interface Leaving {
  account: string | null;
  /** Everything of theirs is to be removed. */
  forget: boolean;
}

/** The part of `localStorage` that is used. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const LAST = "blockpost.last";
const KEYED = "blockpost.keyed.";
const LOCKED = "blockpost.locked";
const JOINING = "blockpost.joining";
const LEAVING = "blockpost.leaving";
const UNCONFIRMED = "blockpost.unconfirmed.";
const TOUCHED = "blockpost.touched";

export class Visitors {
  constructor(private readonly shelf: Shelf) {}

  /** Who was here last. */
  last(): Visitor | null {
    const text = this.shelf.getItem(LAST);
    const [account, handle] = text === null ? [] : text.split(" ");
    return account && handle ? { account, handle } : null;
  }

  /** They are in, with their keys. */
  remember(visitor: Visitor): void {
    this.shelf.setItem(LAST, `${visitor.account} ${visitor.handle}`);
    this.shelf.setItem(KEYED + visitor.account, "yes");
  }

  /** Whether this browser ever had the keys of `account`, and was not told to forget them. */
  hadKeys(account: string): boolean {
    return this.shelf.getItem(KEYED + account) !== null;
  }

  forget(account: string): void {
    this.shelf.removeItem(KEYED + account);
    this.shelf.removeItem(UNCONFIRMED + account);
    this.endJoining(account);
    if (this.last()?.account === account) this.shelf.removeItem(LAST);
  }

  // Joining

  /** Accounts that were made here, and are not known to be on the chain. */
  joining(): string[] {
    return this.shelf.getItem(JOINING)?.split(" ") ?? [];
  }

  beginJoining(account: string): void {
    this.#setJoining([...this.joining(), account]);
    this.shelf.setItem(UNCONFIRMED + account, "yes");
  }

  endJoining(account: string): void {
    this.#setJoining(this.joining().filter((each) => each !== account));
  }

  #setJoining(accounts: string[]): void {
    if (accounts.length === 0) this.shelf.removeItem(JOINING);
    else this.shelf.setItem(JOINING, accounts.join(" "));
  }

  /** Whether the recovery code of `account` was shown here, if at all, and never typed in again. */
  owesRecovery(account: string): boolean {
    return this.shelf.getItem(UNCONFIRMED + account) !== null;
  }

  confirmRecovery(account: string): void {
    this.shelf.removeItem(UNCONFIRMED + account);
  }

  // Leaving

  leaving(): Leaving | null {
    const text = this.shelf.getItem(LEAVING);
    if (text === null) return null;
    const [how, account = null] = text.split(" ");
    return { account, forget: how === "forget" };
  }

  beginLeaving({ account, forget }: Leaving): void {
    this.shelf.setItem(LEAVING, `${forget ? "forget" : "keep"} ${account ?? ""}`.trimEnd());
  }

  endLeaving(): void {
    this.shelf.removeItem(LEAVING);
  }

  // The lock

  /** Whether the page of `account` was locked: to load it again does not unlock it. */
  isLocked(account: string): boolean {
    return this.shelf.getItem(LOCKED) === account;
  }

  lock(account: string): void {
    this.shelf.setItem(LOCKED, account);
  }

  unlock(): void {
    this.shelf.removeItem(LOCKED);
  }

  /** When somebody touched a page of this browser last, in ms; 0 if nobody ever did. */
  touched(): number {
    return Number(this.shelf.getItem(TOUCHED));
  }

  touch(now: number): void {
    this.shelf.setItem(TOUCHED, String(now));
  }
}
