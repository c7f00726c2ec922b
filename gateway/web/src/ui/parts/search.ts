/**
 * Looking for something by words of its texts.
 *
 *   const wanted = search("lee dr");
 *   people.filter((each) => wanted(each.name, each.handle));
 */

/** Tells whether all of the words that were typed are somewhere in some texts. Nothing typed is in all. */
export function search(typed: string): (...texts: readonly (string | null)[]) => boolean {
  const words = plain(typed).split(/\s+/u).filter(Boolean);
  return (...texts) => {
    const text = plain(texts.filter((each) => each !== null).join(" "));
    return words.every((word) => text.includes(word));
  };
}

/** Without accents and capitals: nobody looks for an accent at night. */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();
}
