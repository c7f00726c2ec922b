/**
 * One of a few, all of which are in sight.
 *
 *   <Radios legend="Why?" choices={[["care", "Care is being given"], ["test", "A test"]]} chosen={why} onChosen={setWhy} />
 *
 * None is chosen at first where `chosen` is null; a form is not sent until one is.
 */
import "./radios.css";
import { useId } from "react";

interface RadiosProps<Value extends string> {
  legend: string;
  choices: readonly (readonly [value: Value, words: string])[];
  chosen: NoInfer<Value> | null;
  onChosen(value: NoInfer<Value>): void;
}

export function Radios<Value extends string>({ legend, choices, chosen, onChosen }: RadiosProps<Value>) {
  const name = useId();
  return (
    <fieldset className="radios">
      <legend>{legend}</legend>
      {choices.map(([value, words]) => (
        <label key={value} className="radio">
          <input
            type="radio"
            name={name}
            required
            checked={value === chosen}
            onChange={() => onChosen(value)}
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
