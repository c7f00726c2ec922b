/**
 * Who it is, at a glance: initials for a person, a drawing for a device, a service or a group. Never coloured: colours
 * mean priority here. The name stands beside it, so that it is not read out.
 *
 *   <Avatar title="Dr. Lee" kind="person" online />
 *   <Avatar title="fridge-2" kind="device" small />
 */
import "./avatar.css";
import type { Kind } from "../../model";
import { classes } from "./classes";
import { Icon, type IconName } from "./Icon";

const DRAWINGS: Record<Exclude<Kind | "group", "person">, IconName> = {
  device: "device",
  service: "chain",
  group: "group",
};

interface AvatarProps {
  title: string;
  kind: Kind | "group";
  online?: boolean;
  small?: boolean;
}

export function Avatar({ title, kind, online, small }: AvatarProps) {
  return (
    <span className={classes("avatar", `avatar-${kind}`, small && "avatar-small")} aria-hidden="true">
      {kind === "person" ? initials(title) : <Icon name={DRAWINGS[kind]} />}
      {online && <span className="avatar-online" />}
    </span>
  );
}

/** Of the first and the last word: `Dr. Mary Lee` is `DL`, and `dr.lee` too. */
export function initials(title: string): string {
  const words = title.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const first = words[0] ?? "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return [first, last]
    .map((word) => (word ? [...word][0] : ""))
    .join("")
    .toUpperCase();
}
