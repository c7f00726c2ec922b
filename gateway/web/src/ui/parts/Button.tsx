/**
 * What can be pressed.
 *
 *   <Button look="primary" busy={task.busy} onClick={...}>Send</Button>    one primary per view
 *   <Button>Cancel</Button>                                                 "plain": outlined
 *   <Button look="quiet" icon="copy">Copy</Button>                          in lists and bars
 *   <Button look="danger">Revoke</Button>                                   cannot be undone; plum, never red
 *   <Button look="quiet" icon="close" label="Close" />                      an icon alone: `label` is its name
 *   <LinkButton href={hashOf({ name: "me" })}>My account</LinkButton>       goes somewhere, looks the same
 *
 * `busy` keeps the focus and swallows presses. `type` is "button" unless said otherwise: a form needs one "submit".
 */
import "./button.css";
import type { ComponentProps, ReactNode } from "react";
import { classes } from "./classes";
import { Icon, type IconName } from "./Icon";
import { Spinner } from "./Spinner";

interface Looks {
  look?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  /** The name, where no words are shown. */
  label?: string;
  /** As wide as what it is in. */
  wide?: boolean;
  children?: ReactNode;
}

type ButtonProps = Looks & { busy?: boolean } & Omit<ComponentProps<"button">, "children">;

export function Button({
  look = "plain",
  icon,
  label,
  wide,
  busy = false,
  children,
  className,
  onClick,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={buttonClass({ look, wide, children }, className)}
      aria-label={label}
      title={children === undefined ? label : rest.title}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    >
      {busy ? <Spinner /> : icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

type LinkButtonProps = Looks & { href: string } & Omit<ComponentProps<"a">, "children" | "href">;

export function LinkButton({
  look = "plain",
  href,
  icon,
  label,
  wide,
  children,
  className,
  ...rest
}: LinkButtonProps) {
  return (
    <a
      {...rest}
      href={href}
      className={buttonClass({ look, wide, children }, className)}
      aria-label={label}
      title={children === undefined ? label : rest.title}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </a>
  );
}

interface Worn {
  look: string;
  wide: boolean | undefined;
  children: ReactNode;
}

function buttonClass({ look, wide, children }: Worn, more: string | undefined): string {
  return classes(
    "button",
    `button-${look}`,
    wide && "button-wide",
    children === undefined && "button-icon",
    more,
  );
}
