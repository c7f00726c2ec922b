/** Which theme to use: three radio buttons. */
import "./theme-switch.css";
import { useId } from "react";
import { chooseTheme, type Theme, useTheme } from "./theme";

const CHOICES: readonly (readonly [Theme, string])[] = [
  ["system", "As the device"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function ThemeSwitch() {
  const theme = useTheme();
  const name = useId();
  return (
    <fieldset className="theme-switch">
      <legend className="visually-hidden">Theme</legend>
      {CHOICES.map(([choice, label]) => (
        <label key={choice}>
          <input type="radio" name={name} checked={theme === choice} onChange={() => chooseTheme(choice)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
