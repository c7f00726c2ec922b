/** What an opened message says, in full. Text stays text: nothing in it is a link, and nothing is loaded. */
import { useState } from "react";
import type { Opened } from "../../model";
import { Button } from "../parts/Button";
import { Attachment } from "./Attachment";
import { amount, sensorInWords } from "./amounts";
import { said } from "./said";

export function MessageContent({ opened }: { opened: Opened }) {
  switch (opened.kind) {
    case "text":
      return <Text text={opened.text} />;
    case "reading":
      return (
        <p className="message-reading">
          {sensorInWords(opened.sensor, opened.channel)} <strong>{amount(opened.value, opened.unit)}</strong>
        </p>
      );
    case "gap":
    case "heartbeat":
    case "limits":
    case "settings":
    case "forward":
      return <p className="soft">{said(opened)}</p>;
    case "drill":
      return <Text text={opened.text} />;
    case "episode":
    case "fault":
      return (
        <>
          <p>{said(opened)}</p>
          {opened.detail !== "" && <p className="soft message-detail">{opened.detail}</p>}
        </>
      );
    case "file":
      return (
        <>
          {opened.text !== "" && <Text text={opened.text} />}
          <Attachment file={opened} />
        </>
      );
    case "other":
      return (
        <>
          <p className="soft">This page does not know what this is ({opened.cty}). As it came:</p>
          <Text text={opened.text} />
        </>
      );
    case "erased":
      return <p className="message-gone">This message was erased.</p>;
    case "sealed":
      return <p className="message-gone">This message cannot be opened here: {opened.reason}</p>;
  }
}

/** So much is shown at once: a text can be as long as a book, and the rest of the conversation is to be in reach. */
const SHOWN = 2000;

function Text({ text }: { text: string }) {
  const [whole, setWhole] = useState(text.length <= SHOWN);
  return (
    <>
      <p className="message-text">{whole ? text : `${text.slice(0, SHOWN)}…`}</p>
      {!whole && (
        <Button look="quiet" className="small" onClick={() => setWhole(true)}>
          Show all
        </Button>
      )}
    </>
  );
}
