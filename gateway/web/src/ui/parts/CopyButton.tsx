/**
 * Puts a text on the clipboard, and says that it is there.
 *
 *   <CopyButton text={joinString} label="Copy the join code" />
 *   <CopyButton text={evidence} look="primary" />
 */
import { useEffect, useState } from "react";
import { announce } from "./Announcer";
import { Button } from "./Button";

interface CopyButtonProps {
  text: string;
  label?: string;
  look?: "primary" | "plain" | "quiet";
}

/** How long it says `Copied`. */
const SAID_MS = 2000;

export function CopyButton({ text, label = "Copy", look = "plain" }: CopyButtonProps) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return undefined;
    const timer = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const say = (words: string) => {
    setSaid(words);
    announce(words);
  };
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => say("Copied"),
      () => say("This browser did not let the page copy"),
    );
  return (
    <Button look={look} icon={said === "Copied" ? "check" : "copy"} onClick={copy}>
      {said ?? label}
    </Button>
  );
}
