/** A join code that was made just now. It is nowhere else: the gateway has only its hash. */
import { useEffect, useId, useRef } from "react";
import { KIND_NAMES, ROLE_NAMES } from "../kinds";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Code, Facts, Toolbar } from "../parts/Page";
import { Qr } from "../parts/Qr";
import { ExactTime } from "../parts/RelativeTime";
import type { Made } from "./CodeForm";
import { isThisMachine, joinLink } from "./joining";

export function NewCode({ made, onDone }: { made: Made; onDone(): void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => heading.current?.focus(), []);
  const forPerson = made.kind === "person";
  const command = `blockpost device join ${made.code}`;
  const link = joinLink(window.location.origin, made.code);
  return (
    <section className="section" aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>
        Join code for {made.handle}
      </h2>
      <Banner tone="warn" title="It is shown only now">
        Pass it on before you leave this page. Whoever uses it first has the account.
      </Banner>
      <div className="new-code">
        <div className="new-code-words">
          <div className="new-code-way">
            <h3>The code</h3>
            <Code>{made.code}</Code>
            <Toolbar>
              <CopyButton text={made.code} label="Copy the code" look="primary" />
              {forPerson && <CopyButton text={link} label="Copy as a link" />}
            </Toolbar>
          </div>
          {forPerson ? (
            <p className="soft">
              They scan the picture with the phone or tablet that they will use, or open the link there, or
              choose <em>Join with a code</em> on the gateway's page and type the code.
            </p>
          ) : (
            <div className="new-code-way">
              <h3>On the {made.kind}, type</h3>
              <Code>{command}</Code>
              <Toolbar>
                <CopyButton text={command} label="Copy the command" />
              </Toolbar>
            </div>
          )}
          <Facts
            facts={[
              ["Good until", <ExactTime key="until" at={made.expires} full />],
              ["For", `${KIND_NAMES[made.kind]}, ${ROLE_NAMES[made.role].toLowerCase()}`],
            ]}
          />
        </div>
        <Qr text={forPerson ? link : made.code} label={`Join code for ${made.handle}, as a QR code`} />
      </div>
      {made.match && (
        <Banner title="Six digits are compared">
          When {made.handle} joins, six digits are shown there. Ask for them, and type them in on this page,
          under “Waiting to come in”.
        </Banner>
      )}
      {isThisMachine(window.location.hostname) && (
        <Banner>This page was opened at {window.location.host}: the code works on this machine only.</Banner>
      )}
      <div>
        <Button icon="check" onClick={onDone}>
          I have passed it on
        </Button>
      </div>
    </section>
  );
}
