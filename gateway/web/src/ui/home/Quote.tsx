/** The message that another one answers, in a line. */
import type { EntryId, PartyId } from "../../model";
import { Icon } from "../parts/Icon";
import { useConversation, useOpened } from "./opened";
import { said } from "./said";

interface QuoteProps {
  id: EntryId;
  party: PartyId;
  /** Goes to the message; there is nowhere to go to if it is not of this conversation. */
  onJump?(id: EntryId): void;
}

export function Quote({ id, party, onJump }: QuoteProps) {
  const { conversation } = useConversation(party);
  const position = conversation.find(id);
  const { opened } = useOpened(position < 0 ? null : id);
  if (position < 0) {
    return (
      <p className="quote">
        <Icon name="reply" />
        <span className="quote-words">Answers a message that is not in this conversation</span>
      </p>
    );
  }
  const line = conversation.line(position);
  const content = (
    <>
      <Icon name="reply" />
      <span className="quote-words">
        <span className="visually-hidden">Answers </span>
        <strong>{line.mine ? "You" : line.authorTitle}</strong> {opened ? said(opened) : "…"}
      </span>
    </>
  );
  if (!onJump) return <p className="quote">{content}</p>;
  return (
    <button type="button" className="quote quote-jump" onClick={() => onJump(id)}>
      {content}
    </button>
  );
}
