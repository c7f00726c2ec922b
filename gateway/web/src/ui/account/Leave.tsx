/** Logging out, with or without leaving the keys behind. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { Section, Toolbar } from "../parts/Page";
import { LogOut } from "../status";

export function Leave() {
  const actions = useActions();
  const [asked, setAsked] = useState<"log out" | "forget" | null>(null);
  return (
    <Section title="Leave this browser">
      <p className="soft">
        On a tablet that others use, forget the browser: then nothing of yours stays on it.
      </p>
      <Toolbar>
        <Button onClick={() => setAsked("log out")}>Log out</Button>
        <Button look="danger" icon="trash" onClick={() => setAsked("forget")}>
          Forget this browser
        </Button>
      </Toolbar>
      {asked === "log out" && <LogOut onClose={() => setAsked(null)} />}
      {asked === "forget" && (
        <Confirm
          title="Forget this browser?"
          action="Forget and log out"
          danger
          onConfirm={() => actions.logout({ forget: true })}
          onClose={() => setAsked(null)}
        >
          <p>
            Your keys and messages are removed from this browser, also what has not been sent yet. To read
            here again you need your password or your recovery code.
          </p>
        </Confirm>
      )}
    </Section>
  );
}
