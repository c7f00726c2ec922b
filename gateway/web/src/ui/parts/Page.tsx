/**
 * How a screen is laid out.
 *
 *   <Page title="My account" intro="..." actions={<Button>...</Button>}> ... </Page>   has the h1, and the focus at first
 *   <Section title="Password" actions={...}> ... </Section>                             a card with an h2
 *   <Toolbar> ... </Toolbar>                                                            a row that wraps
 *   <Facts facts={[["Account", id], ["Role", role]]} />                                 names and values
 *   <Code>{text}</Code>                                                                 hashes, ids, signed texts
 */
import "./page.css";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { classes } from "./classes";

interface PageProps {
  title: string;
  intro?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children?: ReactNode;
}

export function Page({ title, intro, actions, narrow, children }: PageProps) {
  return (
    <div className={classes("page", narrow && "page-narrow")}>
      <div className="page-head">
        <div>
          <ScreenTitle>{title}</ScreenTitle>
          {intro && <p className="soft">{intro}</p>}
        </div>
        {actions && <Toolbar>{actions}</Toolbar>}
      </div>
      {children}
    </div>
  );
}

/** The one `h1` of a screen: it takes the focus as the screen comes up, so that its name is read out. */
export function ScreenTitle({ children }: { children: string }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <h1 ref={title} tabIndex={-1}>
      {children}
    </h1>
  );
}

interface SectionProps {
  title: string;
  actions?: ReactNode;
  children?: ReactNode;
}

export function Section({ title, actions, children }: SectionProps) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {actions && <Toolbar>{actions}</Toolbar>}
      </div>
      {children}
    </section>
  );
}

export function Toolbar({ children }: { children: ReactNode }) {
  return <div className="toolbar">{children}</div>;
}

export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Code({ children }: { children: string }) {
  return <code className="code">{children}</code>;
}
