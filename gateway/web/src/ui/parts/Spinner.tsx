/**
 * Something goes on.
 *
 *   <Spinner />                                        beside words that say what
 *   <Progress label="Reading the history" value={40} max={200} />
 *   <Progress label="Making keys" />                   when nobody knows how long
 */
import "./spinner.css";
import { useId } from "react";

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}

export function Progress({ label, value, max }: { label: string; value?: number; max?: number }) {
  const id = useId();
  return (
    <div className="progress">
      <span id={id}>{label}</span>
      <progress aria-labelledby={id} value={value} max={max} />
    </div>
  );
}
