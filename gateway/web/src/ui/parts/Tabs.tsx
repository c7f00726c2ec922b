/**
 * Views of one thing, of which one is shown. Arrows, Home and End move between them.
 *
 *   <Tabs label="Who to link" tabs={[{ id: "people", label: "People" }, { id: "devices", label: "Devices", count: 3 }]}
 *         selected={tab} onSelect={setTab}>
 *     {tab === "people" ? <People /> : <Devices />}
 *   </Tabs>
 *
 * For what has an address of its own, use links in a `<nav>` instead (`NavLinks` below has the same look).
 *
 *   <NavLinks label="Administration" links={[{ href: "#/admin/codes", label: "Join codes", current: true }]} />
 */
import "./tabs.css";
import { type KeyboardEvent, type ReactNode, useId } from "react";
import { Badge } from "./Badge";

interface Tab<Id extends string> {
  id: Id;
  label: string;
  count?: number;
}

interface TabsProps<Id extends string> {
  label: string;
  tabs: readonly Tab<NoInfer<Id>>[];
  selected: Id;
  onSelect(id: NoInfer<Id>): void;
  children: ReactNode;
}

export function Tabs<Id extends string>({ label, tabs, selected, onSelect, children }: TabsProps<Id>) {
  const base = useId();
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const next =
      tabs[
        nextPosition(
          event.key,
          tabs.findIndex((each) => each.id === selected),
          tabs.length,
        )
      ];
    if (!next) return;
    event.preventDefault();
    onSelect(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tabs-list" role="tablist" aria-label={label}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${base}-${tab.id}`}
            type="button"
            role="tab"
            className="tab"
            aria-selected={tab.id === selected}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
            onKeyDown={move}
          >
            {tab.label}
            {tab.count !== undefined && <Badge>{tab.count}</Badge>}
          </button>
        ))}
      </div>
      <div id={`${base}-panel`} role="tabpanel" aria-labelledby={`${base}-${selected}`}>
        {children}
      </div>
    </div>
  );
}

function nextPosition(key: string, at: number, length: number): number {
  switch (key) {
    case "ArrowRight":
      return (at + 1) % length;
    case "ArrowLeft":
      return (at - 1 + length) % length;
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return -1;
  }
}

interface NavLink {
  href: string;
  label: string;
  current: boolean;
}

export function NavLinks({ label, links }: { label: string; links: readonly NavLink[] }) {
  return (
    <nav aria-label={label} className="tabs-list">
      {links.map((link) => (
        <a key={link.href} href={link.href} className="tab" aria-current={link.current ? "page" : undefined}>
          {link.label}
        </a>
      ))}
    </nav>
  );
}
