/** The friends whose name, handle or id has all of the words that were typed, in the order in which they came. */

import type { FriendView } from "../../model";
import { search } from "../parts/search";

export function found(friends: readonly FriendView[], sought: string): readonly FriendView[] {
  if (sought.trim() === "") return friends;
  const wanted = search(sought);
  return friends.filter((friend) => wanted(friend.title, friend.handle, friend.id));
}
