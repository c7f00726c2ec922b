/**
 * A button that opens a small panel beneath it: the native popover, which Esc or a click elsewhere closes.
 *
 *   <Menu label="More" icon="menu">{(close) => <Button look="quiet" onClick={() => { close(); ... }}>Unlink</Button>}</Menu>
 *   <Menu label="Sound" face={<Lamp state="good">Sound on</Lamp>}> {() => ...} </Menu>      its face is its name then
 *
 * Its content is drawn only while it is open.
 */
import "./menu.css";
import { type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

interface MenuProps {
  label: string;
  icon?: IconName;
  face?: ReactNode;
  children(close: () => void): ReactNode;
}

export function Menu({ label, icon = "menu", face, children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const close = useCallback(() => panel.current?.hidePopover(), []);

  const place = useCallback(() => {
    const beneath = button.current?.getBoundingClientRect();
    if (!beneath || !panel.current) return;
    panel.current.style.insetBlockStart = `${beneath.bottom}px`;
    panel.current.style.insetInlineEnd = `${Math.max(0, document.documentElement.clientWidth - beneath.right)}px`;
  }, []);
  useEffect(() => {
    if (!open) return undefined;
    // A tablet is turned.
    window.addEventListener("resize", place);
    return () => window.removeEventListener("resize", place);
  }, [open, place]);

  return (
    <>
      <button
        ref={button}
        type="button"
        className="button button-quiet menu-button"
        popoverTarget={id}
        aria-expanded={open}
        aria-label={face === undefined ? label : undefined}
        title={face === undefined ? label : undefined}
      >
        {face ?? <Icon name={icon} />}
      </button>
      {/* The panel beside its button, not at the end of the page: Tab goes from the one into the other. */}
      <section
        ref={panel}
        id={id}
        className="menu"
        popover="auto"
        aria-label={label}
        onBeforeToggle={place}
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {open && children(close)}
      </section>
    </>
  );
}
