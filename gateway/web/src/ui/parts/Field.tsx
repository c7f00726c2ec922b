/**
 * Something to fill in, with its label, its hint and its error, which are read out with it.
 *
 *   <Field label="Handle" value={handle} onValue={setHandle} autoComplete="username" required />
 *   <Field label="Join code" hint="Your admin gave it to you." error={task.error} ... />
 *   <PasswordField label="Password" value={...} onValue={...} autoComplete="current-password" />   with a show switch
 *   <TextField label="Message" rows={3} ... />                                                     several lines
 *   <SelectField label="Kind" ...><option value="person">Person</option></SelectField>
 *   <CheckField label="Remove my keys as well" checked={...} onChecked={...} />
 *   <Fields onSubmit={...}> ... </Fields>          a form: the fields in a column, the browser's own submit held back
 *
 * `hideLabel` keeps the label for screen readers alone (a search box with an icon).
 */
import "./field.css";
import { type ComponentProps, type ReactNode, useId, useState } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import { Icon } from "./Icon";

interface Labelled {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  hideLabel?: boolean;
}

interface Valued {
  value: string;
  onValue(value: string): void;
}

type FieldProps = Labelled & Valued & Omit<ComponentProps<"input">, "value" | "onChange" | "id">;

export function Field({ label, hint, error, hideLabel, value, onValue, className, ...rest }: FieldProps) {
  return (
    <Labels label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(ties) => (
        <input
          {...rest}
          {...ties}
          className={classes("field-input", className)}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Labels>
  );
}

export function PasswordField({
  label,
  hint,
  error,
  value,
  onValue,
  className,
  ...rest
}: Omit<FieldProps, "type">) {
  const [shown, setShown] = useState(false);
  return (
    <Labels label={label} hint={hint} error={error}>
      {(ties) => (
        <span className="field-row">
          <input
            {...rest}
            {...ties}
            className={classes("field-input", className)}
            type={shown ? "text" : "password"}
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            value={value}
            onChange={(event) => onValue(event.currentTarget.value)}
          />
          <Button
            className="field-show"
            label={`Show ${label.toLowerCase()}`}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            Show
          </Button>
        </span>
      )}
    </Labels>
  );
}

type TextProps = Labelled & Valued & Omit<ComponentProps<"textarea">, "value" | "onChange" | "id">;

export function TextField({ label, hint, error, hideLabel, value, onValue, className, ...rest }: TextProps) {
  return (
    <Labels label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(ties) => (
        <textarea
          {...rest}
          {...ties}
          className={classes("field-input", className)}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Labels>
  );
}

type SelectProps = Labelled & Valued & Omit<ComponentProps<"select">, "value" | "onChange" | "id">;

export function SelectField({
  label,
  hint,
  error,
  hideLabel,
  value,
  onValue,
  className,
  children,
  ...rest
}: SelectProps) {
  return (
    <Labels label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(ties) => (
        <select
          {...rest}
          {...ties}
          className={classes("field-input", className)}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {children}
        </select>
      )}
    </Labels>
  );
}

interface CheckProps extends Omit<ComponentProps<"input">, "type" | "checked" | "onChange" | "id"> {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChecked(checked: boolean): void;
}

export function CheckField({ label, hint, checked, onChecked, ...rest }: CheckProps) {
  const id = useId();
  return (
    <div className="check">
      <label className="check-label">
        <input
          {...rest}
          type="checkbox"
          checked={checked}
          aria-describedby={hint ? id : undefined}
          onChange={(event) => onChecked(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      {hint && (
        <p id={id} className="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}

export function Fields({
  onSubmit,
  className,
  children,
  ...rest
}: ComponentProps<"form"> & { onSubmit(): void }) {
  return (
    <form
      {...rest}
      className={classes("fields", className)}
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        onSubmit();
        // By then it is drawn what is wrong, if that was found at once.
        requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
      }}
    >
      {children}
    </form>
  );
}

interface Ties {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Labels({
  label,
  hint,
  error,
  hideLabel,
  children,
}: {
  label: string;
  hint: ReactNode;
  error: string | null | undefined;
  hideLabel?: boolean | undefined;
  children(ties: Ties): ReactNode;
}) {
  const id = useId();
  const described = classes(error && `${id}-error`, hint !== undefined && `${id}-hint`);
  return (
    <div className={classes("field", error && "field-wrong")}>
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : "field-label"}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="field-hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="field-error" role="alert">
          <Icon name="alert" />
          <span>{error}</span>
        </p>
      )}
    </div>
  );
}
