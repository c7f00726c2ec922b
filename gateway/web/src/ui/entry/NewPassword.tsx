/**
 * A new password, typed twice.
 *
 *   const fresh = useNewPassword();
 *   <Fields onSubmit={() => fresh.check() && ...}> <NewPassword fresh={fresh} /> ... </Fields>
 */
import { useState } from "react";
import { PasswordField } from "../parts/Field";
import { type PasswordProblem, passwordProblem, strengthHint } from "./password";

export interface FreshPassword {
  password: string;
  again: string;
  problem: PasswordProblem | null;
  type(password: string): void;
  typeAgain(again: string): void;
  /** Whether it will do; shows why not. */
  check(): boolean;
}

export function useNewPassword(): FreshPassword {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [problem, setProblem] = useState<PasswordProblem | null>(null);
  return {
    password,
    again,
    problem,
    type: (text) => {
      setPassword(text);
      setProblem(null);
    },
    typeAgain: (text) => {
      setAgain(text);
      setProblem(null);
    },
    check: () => {
      const found = passwordProblem(password, again);
      setProblem(found);
      return found === null;
    },
  };
}

export function NewPassword({ fresh }: { fresh: FreshPassword }) {
  const { problem } = fresh;
  return (
    <>
      <PasswordField
        label="New password"
        autoComplete="new-password"
        required
        value={fresh.password}
        onValue={fresh.type}
        hint={strengthHint(fresh.password)}
        error={problem?.field === "password" ? problem.text : null}
      />
      <PasswordField
        label="New password again"
        autoComplete="new-password"
        required
        value={fresh.again}
        onValue={fresh.typeAgain}
        error={problem?.field === "again" ? problem.text : null}
      />
    </>
  );
}
