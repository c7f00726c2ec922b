/** Where a recovery code is typed in. Spaces, hyphens and small letters do not matter. */
import { Field } from "../parts/Field";

interface RecoveryCodeFieldProps {
  value: string;
  onValue(value: string): void;
  error?: string | null;
}

export function RecoveryCodeField({ value, onValue, error = null }: RecoveryCodeFieldProps) {
  return (
    <Field
      label="Recovery code"
      hint="26 letters and digits. Small letters will do, and you can leave the dashes out."
      className="mono"
      autoComplete="off"
      autoCapitalize="characters"
      autoCorrect="off"
      spellCheck={false}
      required
      value={value}
      onValue={onValue}
      error={error}
    />
  );
}
