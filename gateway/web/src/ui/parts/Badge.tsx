/**
 * A word or a number that marks something.
 *
 *   <Badge>admin</Badge>                         neutral
 *   <Badge tone="accent">3</Badge>               unread
 *   <Badge tone="good">verified</Badge>
 *   <Badge tone="danger">revoked</Badge>
 *   <Badge tone="accent" label="3 unread">3</Badge>   read out as its label
 */
import "./badge.css";
import type { ReactNode } from "react";
import { classes } from "./classes";

interface BadgeProps {
  tone?: "plain" | "accent" | "good" | "danger";
  label?: string;
  children: ReactNode;
}

export function Badge({ tone = "plain", label, children }: BadgeProps) {
  return (
    <span className={classes("badge", `badge-${tone}`)}>
      {label === undefined ? (
        children
      ) : (
        <>
          <span aria-hidden="true">{children}</span>
          <span className="visually-hidden">{label}</span>
        </>
      )}
    </span>
  );
}
