/** Says aloud, to who listens to the page, what is new: alerts at once, messages in their turn. */
import { useEffect, useRef } from "react";
import type { AlertView, FriendView, View } from "../model";
import { useEngine } from "./engine-context";
import { announce, hush } from "./parts/Announcer";
import { priorityWords } from "./parts/Priority";

/** A device may say something each second: that it did is not said again for so long. */
const QUIET_MS = 60_000;

export function useSpokenNews(): void {
  const engine = useEngine();
  const before = useRef<View>(engine.view());
  const last = useRef({ text: "", at: 0 });
  useEffect(
    () =>
      engine.subscribe(() => {
        const now = engine.view();
        const alert = newAlerts(before.current, now);
        const message = newMessages(before.current, now);
        // What was said before names people, and stays in the page until something else is said.
        if (before.current.stage.name === "home" && now.stage.name !== "home") hush();
        before.current = now;
        if (alert) announce(alert, "now");
        if (message && (message !== last.current.text || Date.now() - last.current.at > QUIET_MS)) {
          last.current = { text: message, at: Date.now() };
          announce(message);
        }
      }),
    [engine],
  );
}

/**
 * Of alerts that are heard now and were not, and of those that nobody answered: how many, and the first of them. Nobody is
 * named on a locked page.
 */
export function newAlerts(before: View, now: View): string | null {
  if (before.alerts === now.alerts || now.catchingUp || !isWatched(now)) return null;
  const heard = new Set(before.alerts.filter((each) => each.sounding).map(soundOf));
  const fresh = now.alerts.filter((each) => each.sounding && !heard.has(soundOf(each)));
  const first = fresh[0];
  if (!first) return null;
  const what = first.nobody === null ? "New alert" : "Nobody answered an alert";
  const from = now.stage.name === "locked" ? "" : `, from ${first.authorTitle}`;
  const others = fresh.length > 1 ? `, and ${fresh.length - 1} more` : "";
  return `${what}, ${priorityWords(first.priority)}${from}${others}`;
}

export function newMessages(before: View, now: View): string | null {
  if (before.friends === now.friends || now.catchingUp || now.stage.name !== "home") return null;
  const unread = new Map(before.friends.map((each) => [each.id, each.unread]));
  const from = now.friends.filter((each: FriendView) => each.unread > (unread.get(each.id) ?? 0));
  return from.length > 0 ? `New message from ${from.map((each) => each.title).join(", ")}` : null;
}

/** An episode whose priority rose is news again, and so is one that nobody answered. */
function soundOf(alert: AlertView): string {
  return `${alert.episode} ${alert.priority} ${alert.nobody}`;
}

function isWatched(view: View): boolean {
  return view.stage.name === "home" || view.stage.name === "locked";
}
