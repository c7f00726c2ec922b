/**
 * Where in the page the person is: the part of the address behind `#`, which no server is ever sent.
 *
 *   const route = useRoute();
 *   <a href={hashOf({ name: "with", party })}>
 *   go({ name: "home" });
 */
import { useMemo, useSyncExternalStore } from "react";
import type { EntryId, PartyId } from "../model";

export type Route =
  | { name: "home" }
  | { name: "with"; party: PartyId }
  | { name: "alert"; episode: string }
  | { name: "proof"; id: EntryId }
  | { name: "friends" }
  | { name: "load" }
  | { name: "me" }
  | { name: "admin"; part: string };

/** The first part of the administration. */
export const FIRST_PART = "people";

const JOIN = /^#\/join\/(.+)$/;

/** What is not an address of this page leads home. */
export function parseRoute(hash: string): Route {
  const [name, ...rest] = hash.replace(/^#\/?/, "").split("/");
  const value = decoded(rest.join("/"));
  switch (name) {
    case "with":
      return value ? { name, party: value } : { name: "home" };
    case "alert":
      return value ? { name, episode: value } : { name: "home" };
    case "proof":
      return value ? { name, id: value } : { name: "home" };
    case "friends":
    case "load":
    case "me":
      return { name };
    case "admin":
      return { name, part: value || FIRST_PART };
    default:
      return { name: "home" };
  }
}

export function hashOf(route: Route): string {
  switch (route.name) {
    case "home":
      return "#/";
    case "with":
      return `#/with/${encodeURIComponent(route.party)}`;
    case "alert":
      return `#/alert/${encodeURIComponent(route.episode)}`;
    case "proof":
      return `#/proof/${encodeURIComponent(route.id)}`;
    case "admin":
      return `#/admin/${encodeURIComponent(route.part)}`;
    default:
      return `#/${route.name}`;
  }
}

export function go(route: Route): void {
  window.location.hash = hashOf(route);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}

/**
 * The join string of an address `#/join/HOST:PORT/PIN/SECRET`, as an admin's QR code has it. It is a secret: it
 * leaves the address bar, and the browser's history, at once.
 */
export function takeJoinString(): string | null {
  const found = JOIN.exec(window.location.hash)?.[1];
  if (!found) return null;
  toHome();
  return decoded(found);
}

/** Where somebody was is nobody else's business. A join string is not where somebody was: `takeJoinString` takes it. */
export function forgetPlace(): void {
  if (!JOIN.test(window.location.hash)) toHome();
}

function toHome(): void {
  window.history.replaceState(null, "", hashOf({ name: "home" }));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone `%`: somebody typed it.
    return text;
  }
}
