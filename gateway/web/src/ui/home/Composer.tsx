/** Where a message is written: Enter sends it, Shift+Enter begins a line; a file can be chosen, dropped or pasted. */
import "./composer.css";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type RefObject,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { AccountId, EntryId, PartyId } from "../../model";
import { useActions } from "../engine-context";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { words } from "../parts/task";
import { type Draft, Drafts, EMPTY, refusal } from "./drafts";
import { Quote } from "./Quote";
import { fileSize, shownName } from "./said";

/** One for the page: it outlives the conversations, and the home that they are in. */
const drafts = new Drafts();

/** What the conversation around it asks of the composer. */
export interface ComposerHandle {
  reply(to: EntryId): void;
  attach(files: FileList): void;
}

interface ComposerProps {
  owner: AccountId;
  party: PartyId;
  title: string;
  handle: RefObject<ComposerHandle | null>;
}

export function Composer({ owner, party, title, handle }: ComposerProps) {
  const actions = useActions();
  const area = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(() => drafts.of(owner, party));
  const [trouble, setTrouble] = useState<string | null>(null);

  const edit = (change: (before: Draft) => Draft) => {
    const after = change(drafts.of(owner, party));
    drafts.keep(owner, party, after);
    setDraft(after);
  };
  const attach = (files: FileList) => {
    const file = files[0];
    if (!file) return;
    const why = files.length > 1 ? "One file at a time, please." : refusal(file);
    setTrouble(why);
    if (why === null) edit((before) => ({ ...before, file }));
    area.current?.focus();
  };
  useImperativeHandle(handle, () => ({
    reply(re) {
      edit((before) => ({ ...before, re }));
      area.current?.focus();
    },
    attach,
  }));
  useGrowing(area, draft.text);

  const send = async () => {
    const sent = drafts.of(owner, party);
    if (sent.text.trim() === "" && sent.file === null) return;
    setTrouble(null);
    edit(() => EMPTY);
    try {
      await actions.send(party, {
        text: sent.text,
        ...(sent.file && { file: sent.file }),
        ...(sent.re && { re: sent.re }),
      });
    } catch (error) {
      setTrouble(`This was not sent. ${words(error)}`);
      // What was written since stays behind what comes back.
      edit((since) => ({ ...sent, text: since.text === "" ? sent.text : `${sent.text}\n${since.text}` }));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // An Enter that ends a composition of characters chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  };

  return (
    <form
      className="composer"
      aria-label={`Write to ${title}`}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {trouble && (
        <p className="home-error" role="alert">
          <Icon name="alert" />
          <span>{trouble}</span>
        </p>
      )}
      {draft.re && (
        <div className="composer-chip">
          <Quote id={draft.re} party={party} />
          <Button
            look="quiet"
            className="small"
            icon="close"
            label="Do not answer this message"
            onClick={() => edit((before) => ({ ...before, re: null }))}
          />
        </div>
      )}
      {draft.file && (
        <div className="composer-chip">
          <Icon name="file" />
          <span className="composer-file">
            {shownName(draft.file.name)} <span className="soft">{fileSize(draft.file.size)}</span>
          </span>
          <Button
            look="quiet"
            className="small"
            icon="close"
            label={`Remove ${shownName(draft.file.name)}`}
            onClick={() => edit((before) => ({ ...before, file: null }))}
          />
        </div>
      )}
      <div className="composer-row">
        <Button look="quiet" icon="attach" label="Attach a file" onClick={() => chooser.current?.click()} />
        <input
          ref={chooser}
          type="file"
          hidden
          aria-label="File to attach"
          onChange={(event) => {
            if (event.currentTarget.files) attach(event.currentTarget.files);
            // The same file can be chosen again.
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={area}
          className="field-input composer-text"
          rows={1}
          aria-label={`Message to ${title}`}
          title="Enter sends, Shift+Enter begins a new line"
          placeholder="Message"
          value={draft.text}
          onChange={(event) => {
            const text = event.currentTarget.value;
            edit((before) => ({ ...before, text }));
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <Button look="primary" type="submit" icon="send" label="Send" />
      </div>
    </form>
  );
}

/** As tall as what is in it; the style sheet says how tall at most. */
function useGrowing(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.blockSize = "auto";
    // With the border, which the scroll height leaves out; an empty one is as tall as its only row.
    const border = element.offsetHeight - element.clientHeight;
    if (text !== "") element.style.blockSize = `${element.scrollHeight + border}px`;
  }, [area, text]);
}
