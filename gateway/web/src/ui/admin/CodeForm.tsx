/** Makes a join code. */
import { useEffect, useRef, useState } from "react";
import type { AdminActions, Kind } from "../../model";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { CheckField, Field, Fields, SelectField } from "../parts/Field";
import { Section } from "../parts/Page";
import { useTask } from "../parts/task";
import { hoursOf, LONGEST_HOURS, wrongWithHandle } from "./joining";

const HOUR_MS = 3_600_000;

export type Wish = Parameters<AdminActions["invite"]>[0];

export interface Made extends Omit<Wish, "hours"> {
  /** The join string. */
  code: string;
  expires: number;
}

interface CodeFormProps {
  /** Handles that nobody else can have. */
  taken: ReadonlySet<string>;
  /** Whether it takes the focus as it comes up: where it comes back, what had the focus is gone. */
  focused: boolean;
  onMade(made: Made): void;
}

export function CodeForm({ taken, focused, onMade }: CodeFormProps) {
  const { admin } = useActions();
  const task = useTask();
  const [handle, setHandle] = useState("");
  const [kind, setKind] = useState<Kind>("person");
  const [role, setRole] = useState<Wish["role"]>("member");
  const [typedHours, setTypedHours] = useState(String(LONGEST_HOURS));
  const [match, setMatch] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focused) first.current?.focus();
  }, [focused]);
  const hours = hoursOf(typedHours);
  const wrongHandle = wrongWithHandle(handle, taken);

  const make = async () => {
    if (wrongHandle !== null || hours === null) return;
    const wish: Wish = { handle, kind, role: kind === "person" ? role : "member", hours, match };
    const expires = Date.now() + hours * HOUR_MS;
    await task.run(async () => {
      const code = await admin.invite(wish);
      onMade({ handle, kind, role: wish.role, match, code, expires });
    });
  };
  return (
    <Section title="Make a join code">
      <Fields onSubmit={make}>
        <div className="code-fields">
          <Field
            ref={first}
            label="Handle"
            hint="As in dr.lee or fridge-2: a to z, digits, dots, dashes and underscores, at most 32. It stays for good."
            className="mono"
            autoCapitalize="none"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            required
            value={handle}
            onValue={setHandle}
            error={wrongHandle}
          />
          <SelectField label="Kind" value={kind} onValue={(value) => setKind(value as Kind)}>
            <option value="person">Person, in a browser</option>
            <option value="device">Device, with a sensor</option>
            <option value="service">Service, another program</option>
          </SelectField>
          <SelectField
            label="Role"
            hint={
              kind === "person"
                ? "Admins make codes and groups, and end accounts."
                : "Only people can be admins."
            }
            disabled={kind !== "person"}
            value={kind === "person" ? role : "member"}
            onValue={(value) => setRole(value as Wish["role"])}
          >
            <option value="member">Member</option>
            <option value="admin">Admin</option>
          </SelectField>
          <Field
            label="Hours it works"
            hint={`1 to ${LONGEST_HOURS}. The shorter, the safer.`}
            type="number"
            inputMode="numeric"
            min={1}
            max={LONGEST_HOURS}
            step={1}
            required
            value={typedHours}
            onValue={setTypedHours}
            error={hours === null ? `A whole number from 1 to ${LONGEST_HOURS}.` : null}
          />
        </div>
        <CheckField
          label="Compare six digits before they come in"
          hint="Where they join, six digits are shown: they tell you, and you type them here. It takes a minute, and nobody who finds the code can use it."
          checked={match}
          onChecked={setMatch}
        />
        {task.error && <Banner tone="danger">{task.error}</Banner>}
        <div>
          <Button type="submit" look="primary" icon="key" busy={task.busy}>
            Make the code
          </Button>
        </div>
      </Fields>
    </Section>
  );
}
