/**
 * A message in the page that stays until it is dealt with.
 *
 *   <Banner>Your session ended after 12 hours.</Banner>                       "info"
 *   <Banner tone="warn" title="Sound is off"> ... </Banner>                    a hatched edge
 *   <Banner tone="danger" onDismiss={() => actions.dismiss(id)}> ... </Banner> plum: something failed
 *   <Banner tone="good"> ... </Banner>                                         something worked
 *   <Banner actions={<Button>Try again</Button>}> ... </Banner>
 *
 * It is read out when it appears: at once if it is "danger", in its turn otherwise.
 */
import "./banner.css";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import { Icon, type IconName } from "./Icon";

type Tone = "info" | "good" | "warn" | "danger";

const ICONS: Record<Tone, IconName> = { info: "info", good: "check", warn: "alert", danger: "alert" };

interface BannerProps {
  tone?: Tone;
  title?: string;
  actions?: ReactNode;
  onDismiss?(): void;
  children?: ReactNode;
}

export function Banner({ tone = "info", title, actions, onDismiss, children }: BannerProps) {
  return (
    <div className="banner-holder">
      <div className={classes("banner", `banner-${tone}`)} role={tone === "danger" ? "alert" : "status"}>
        <Icon name={ICONS[tone]} />
        <div className="banner-text">
          {title && <p className="banner-title">{title}</p>}
          {children && <div>{children}</div>}
        </div>
        {actions && <div className="banner-actions">{actions}</div>}
        {onDismiss && <Button look="quiet" icon="close" label="Dismiss" onClick={onDismiss} />}
      </div>
    </div>
  );
}
