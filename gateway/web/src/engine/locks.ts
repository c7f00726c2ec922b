/**
 * Taking turns among the tabs of one browser.
 *
 * `Turns` is what Web Locks do: the work of one name runs in one tab at a time, in the order of asking; a tab that is
 * closed gives its turn away.
 */

export interface Turns {
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export const webLocks: Turns = {
  take: (name, work) => navigator.locks.request(name, work) as Promise<Awaited<ReturnType<typeof work>>>,
};
