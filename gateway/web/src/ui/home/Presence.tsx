/** Where a friend is, in words: `Online`, `Last seen 5 min ago`, `Group`, or why one cannot write. */
import type { FriendView } from "../../model";
import { RelativeTime } from "../parts/RelativeTime";

export function Presence({ friend }: { friend: FriendView }) {
  if (!friend.live) return "No longer active";
  if (friend.state === "asked") return "Wants to be your friend";
  if (friend.state === "asking") return "Has not accepted yet";
  if (friend.kind === "group") return "Group";
  if (friend.online) return "Online";
  if (friend.lastSeen === null) return "Not seen yet";
  return (
    <>
      Last seen <RelativeTime at={friend.lastSeen} ago />
    </>
  );
}
