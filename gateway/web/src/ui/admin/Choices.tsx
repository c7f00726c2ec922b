/**
 * Choosing one or several out of many, by name.
 *
 *   <Choices legend="Which device?" parties={devices} chosen={chosen} onChosen={setChosen} />        one: radio buttons
 *   <Choices legend="Members" several parties={everybody} chosen={chosen} onChosen={setChosen} />    a checklist
 */
import { useId, useState } from "react";
import type { PartyId } from "../../model";
import { Field } from "../parts/Field";
import { search } from "../parts/search";
import type { Party } from "./parties";
import { Who } from "./Who";

interface ChoicesProps {
  legend: string;
  several?: boolean;
  parties: readonly Party[];
  chosen: ReadonlySet<PartyId>;
  onChosen(chosen: ReadonlySet<PartyId>): void;
}

/** From so many on, looking is slower than typing. */
const MANY = 8;

export function Choices({ legend, several = false, parties, chosen, onChosen }: ChoicesProps) {
  const name = useId();
  const [sought, setSought] = useState("");
  const wanted = search(sought);
  const found = parties.filter((each) => wanted(each.title, each.handle, each.kind));
  const choose = (id: PartyId) => onChosen(several ? toggled(chosen, id) : new Set([id]));
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {parties.length > MANY && (
        <Field
          label="Find"
          hideLabel
          type="search"
          placeholder="Find by name, handle or kind"
          autoComplete="off"
          value={sought}
          onValue={setSought}
          // Enter would send the form around it.
          onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        />
      )}
      <ul className="list choices-list">
        {found.map((party) => (
          <li key={party.id}>
            <label className="choice">
              <input
                type={several ? "checkbox" : "radio"}
                name={name}
                checked={chosen.has(party.id)}
                onChange={() => choose(party.id)}
              />
              <Who party={party} aside={aside(party)} />
            </label>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p className="soft">{parties.length === 0 ? "There is none." : "None is found."}</p>
      )}
    </fieldset>
  );
}

function aside(party: Party): string {
  const what = party.kind === "group" ? `group of ${party.members}` : party.kind;
  return party.handle === null ? what : `${party.handle}, ${what}`;
}

function toggled(chosen: ReadonlySet<PartyId>, id: PartyId): ReadonlySet<PartyId> {
  const others = [...chosen].filter((each) => each !== id);
  return new Set(chosen.has(id) ? others : [...others, id]);
}
