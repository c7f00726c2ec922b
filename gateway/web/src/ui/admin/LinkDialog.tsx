/** A new link in two steps: who, which most often is a device, and to whom, which most often is a group. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { PartyId } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Fields } from "../parts/Field";
import { useTask } from "../parts/task";
import { Choices } from "./Choices";
import type { Contacts } from "./Groups";
import { count } from "./health";
import { linkedTo } from "./links";
import { byKind, liveParties, type Parties, type Party, partyOfGroup } from "./parties";

const FORM = "link";

const NOBODY: ReadonlySet<PartyId> = new Set();

interface LinkDialogProps {
  contacts: Contacts;
  parties: Parties;
  onLinked(): Promise<void>;
  onClose(): void;
}

export function LinkDialog({ contacts, parties, onLinked, onClose }: LinkDialogProps) {
  const { admin } = useActions();
  const task = useTask();
  const [step, setStep] = useState<1 | 2>(1);
  const [whoChosen, setWho] = useState(NOBODY);
  const [whomChosen, setWhom] = useState(NOBODY);
  const [wrong, setWrong] = useState<string | null>(null);
  const [who, whom] = [[...whoChosen][0], [...whomChosen][0]];
  const others = useMemo(() => (who === undefined ? [] : possible(contacts, who)), [contacts, who]);

  const choose = (set: (chosen: ReadonlySet<PartyId>) => void) => (chosen: ReadonlySet<PartyId>) => {
    set(chosen);
    setWrong(null);
  };
  const goTo = (next: 1 | 2) => {
    setWrong(null);
    task.clear();
    setWhom(NOBODY);
    setStep(next);
  };
  const submit = async () => {
    if (who === undefined) return setWrong("Choose one of them first.");
    if (step === 1) return goTo(2);
    if (whom === undefined) return setWrong("Choose one of them first.");
    if (!(await task.run(() => admin.link(who, whom)))) return;
    announce(`${parties(who).title} is linked to ${parties(whom).title}`);
    onClose();
    await onLinked();
  };
  return (
    <Dialog
      title="New link"
      onClose={onClose}
      actions={
        <>
          {step === 1 ? (
            <Button onClick={onClose}>Cancel</Button>
          ) : (
            <Button icon="back" onClick={() => goTo(1)}>
              Back
            </Button>
          )}
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            {step === 1 ? "Next" : "Link"}
          </Button>
        </>
      }
    >
      <Step key={step} number={step} who={who === undefined ? null : parties(who)} />
      <Fields id={FORM} onSubmit={submit}>
        {step === 1 ? (
          <Choices
            legend="Who sends?"
            parties={byKind(liveParties(contacts.accounts), ["device", "service", "person"])}
            chosen={whoChosen}
            onChosen={choose(setWho)}
          />
        ) : (
          <Choices
            legend="Who is to hear of it?"
            parties={others}
            chosen={whomChosen}
            onChosen={choose(setWhom)}
          />
        )}
      </Fields>
      {whom !== undefined && <Outcome who={parties(who ?? "")} whom={parties(whom)} />}
      {(wrong ?? task.error) && <Banner tone="danger">{wrong ?? task.error}</Banner>}
    </Dialog>
  );
}

/** Everybody whom an account is not linked to yet, and every group. */
function possible({ accounts, groups, links }: Contacts, who: PartyId): readonly Party[] {
  const already = linkedTo(links, who);
  const all = [...groups.map(partyOfGroup), ...liveParties(accounts)];
  return byKind(
    all.filter((each) => each.id !== who && !already.has(each.id)),
    ["group", "person", "service", "device"],
  );
}

/** The second step takes the focus: what was pressed to come to it is another button by then. */
function Step({ number, who }: { number: 1 | 2; who: Party | null }) {
  const line = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (number === 2) line.current?.focus();
  }, [number]);
  return (
    <h3 ref={line} tabIndex={-1} className="link-step">
      Step {number} of 2{number === 2 && who !== null && `: ${who.title} sends`}
    </h3>
  );
}

function Outcome({ who, whom }: { who: Party; whom: Party }) {
  return (
    <p role="status">
      {whom.kind === "group"
        ? `${who.title} reaches ${count(whom.members, "member")} of ${whom.title}, and they can write to it.`
        : `${who.title} and ${whom.title} can write to each other.`}
    </p>
  );
}
