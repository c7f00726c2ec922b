/** The friends whose name, handle or id has all of the words that were typed, in the order in which they came. */

import type { FriendView } from "../../model";

export function found(friends: readonly FriendView[], sought: string): readonly FriendView[] {
  const words = plain(sought).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return friends;
  return friends.filter((friend) => {
    const text = plain(`${friend.title} ${friend.handle ?? ""} ${friend.id}`);
    return words.every((word) => text.includes(word));
  });
}

/** Without accents and capitals: nobody looks for an accent at night. */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();
}
