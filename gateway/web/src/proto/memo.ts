/** What was made of a text before: whoever reads a history meets the same few keys and headers again and again. */

const MOST = 1024;

/** Makes it once for each text, and forgets all when there are too many: they come from outside. */
export function memo<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (known.size >= MOST) known.clear();
    known.set(text, made);
    return made;
  };
}
