/** What is asked of a new password, and an honest word on it. */

import { FEWEST_CHARACTERS as FEWEST } from "../../model";

const RECOMMENDED = 12;
/** Fewer different characters than this make even a long password easy. */
const FEWEST_DIFFERENT = 5;

export interface PasswordProblem {
  field: "password" | "again";
  text: string;
}

export function passwordProblem(password: string, again: string): PasswordProblem | null {
  const length = [...password].length;
  if (length < FEWEST) {
    return {
      field: "password",
      text: `The password needs at least ${FEWEST} characters; this one has ${length}.`,
    };
  }
  if (password !== again) return { field: "again", text: "The two passwords are not the same." };
  return null;
}

/** Says no more than can be known from here: nobody sees whether a password is guessable by looking at its length. */
export function strengthHint(password: string): string {
  const characters = [...password];
  if (characters.length === 0)
    return `At least ${FEWEST} characters; ${RECOMMENDED} or more are recommended.`;
  if (characters.length < FEWEST) {
    return `Too short: ${FEWEST - characters.length} more to go, and ${RECOMMENDED} or more are recommended.`;
  }
  if (new Set(characters).size < FEWEST_DIFFERENT)
    return "Long enough, but easy to guess: it repeats itself.";
  if (characters.length < RECOMMENDED) {
    return `Enough, but short. ${RECOMMENDED} or more are much harder to guess: four words that do not belong together, for example.`;
  }
  return "Good length. Make sure that it is not a name, a date or a saying, and that you use it nowhere else.";
}
