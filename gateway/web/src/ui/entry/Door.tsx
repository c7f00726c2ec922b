/**
 * What every screen before home looks like: one card, in the middle, with the site's name and the theme beneath.
 *
 *   <Door title="Log in" tone="plain"> ... </Door>
 *
 * A new `title` is a new screen: its heading takes the focus.
 */
import "./door.css";
import type { ReactNode } from "react";
import { useView } from "../engine-context";
import { classes } from "../parts/classes";
import { ScreenTitle } from "../parts/Page";
import { Troubles } from "../status";
import { ThemeSwitch } from "../ThemeSwitch";

interface DoorProps {
  title: string;
  wide?: boolean;
  children?: ReactNode;
}

export function Door({ title, wide, children }: DoorProps) {
  const site = useView((view) => view.site);
  // They may name somebody.
  const unnamed = useView((view) => view.stage.name === "locked");
  return (
    <div className={classes("door", wide && "door-wide")}>
      <header className="door-brand">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <p className="door-name">Blockpost</p>
          {site && <p className="soft">{site}</p>}
        </div>
      </header>
      <main className="door-card">
        <ScreenTitle key={title}>{title}</ScreenTitle>
        {!unnamed && <Troubles />}
        {children}
      </main>
      <footer className="door-foot">
        <ThemeSwitch />
      </footer>
    </div>
  );
}
