/**
 * All messages of a conversation, of which only those in sight are in the page.
 *
 * It begins at the newest, stays there as messages come, and keeps its place while somebody reads further up.
 */
import "./history.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { EntryId, FriendView, Kind, PartyId } from "../../model";
import { useActions, useView } from "../engine-context";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { MessageRow } from "./MessageRow";
import { useConversation } from "./opened";

/** Guesses, until a message is measured: a device's line, and somebody's message. */
const LINE_PX = 36;
const MESSAGE_PX = 84;
/** So near to the end, one is there. */
const END_PX = 60;
const FLASH_MS = 2500;

interface HistoryProps {
  party: PartyId;
  friend: FriendView | null;
  title: string;
  /** The message to show first; the newest if there is none. */
  target: EntryId | null;
  /** The alert that is shown above. */
  above: string | null;
  onReply(id: EntryId): void;
}

export function History({ party, friend, title, target, above, onReply }: HistoryProps) {
  const { conversation, version } = useConversation(party);
  const scroller = useRef<HTMLElement>(null);
  const kindOf = useKinds();
  const guess = friend?.kind === "device" ? LINE_PX : MESSAGE_PX;
  const [atEnd, setAtEnd] = useState(target === null);
  // Tied to the version, since the lines change within the same conversation.
  const lines = useMemo(
    () => ({ version, idAt: (at: number) => conversation.line(at).id }),
    [conversation, version],
  );

  const virtual = useVirtualizer({
    count: conversation.length,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback(() => guess, [guess]),
    getItemKey: lines.idAt,
    initialOffset: () => conversation.length * guess,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: END_PX,
    overscan: 6,
    paddingStart: 12,
    paddingEnd: 12,
    directDomUpdates: true,
    onChange: (instance) => setAtEnd(instance.isAtEnd()),
  });
  const { flashed, jump } = useJump((id) => {
    const position = conversation.find(id);
    if (position >= 0) virtual.scrollToIndex(position, { align: "center" });
  });

  useLayoutEffect(() => {
    if (target === null) virtual.scrollToEnd();
    else jump(target);
  }, [virtual, target, jump]);
  useReadMark(party, friend, atEnd);
  useKeptEnd(scroller, atEnd, () => virtual.scrollToEnd());
  const below = useBelow(conversation.length, atEnd);

  if (conversation.length === 0) {
    return (
      <div className="history history-empty">
        <EmptyState icon="message" title="No messages yet">
          What you write to {title} can be opened by the two of you only.
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="history">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be in reach of the keyboard */}
      <section ref={scroller} className="history-scroller" aria-label={`Messages with ${title}`} tabIndex={0}>
        <ol ref={virtual.containerRef} className="history-all">
          {virtual.getVirtualItems().map((item) => (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="history-item"
              aria-posinset={item.index + 1}
              aria-setsize={conversation.length}
            >
              <MessageRow
                conversation={conversation}
                version={version}
                position={item.index}
                kindOf={kindOf}
                flying={virtual.isScrolling}
                flashed={flashed === item.key}
                above={above}
                onJump={jump}
                onReply={onReply}
              />
            </li>
          ))}
        </ol>
      </section>
      {!atEnd && (
        <div className="history-below">
          <Button look={below > 0 ? "primary" : "plain"} icon="down" onClick={() => virtual.scrollToEnd()}>
            {belowInWords(below)}
          </Button>
        </div>
      )}
    </div>
  );
}

function belowInWords(count: number): string {
  if (count === 0) return "Newest messages";
  return count === 1 ? "1 new message below" : `${count} new messages below`;
}

/** How many messages came since the end was last in sight. */
function useBelow(length: number, atEnd: boolean): number {
  const [seen, setSeen] = useState(length);
  if (atEnd && seen !== length) setSeen(length);
  return Math.max(0, length - seen);
}

/** Goes to a message, and shows which one it is for a moment. */
function useJump(scroll: (id: EntryId) => void): { flashed: EntryId | null; jump(id: EntryId): void } {
  const [flashed, setFlashed] = useState<EntryId | null>(null);
  const latest = useRef(scroll);
  useLayoutEffect(() => {
    latest.current = scroll;
  });
  useEffect(() => {
    if (flashed === null) return undefined;
    const timer = setTimeout(() => setFlashed(null), FLASH_MS);
    return () => clearTimeout(timer);
  }, [flashed]);
  const jump = useCallback((id: EntryId) => {
    latest.current(id);
    setFlashed(id);
  }, []);
  return { flashed, jump };
}

/** When the list becomes lower, for a plot above it or a keyboard below, its end stays in sight. */
function useKeptEnd(scroller: RefObject<HTMLElement | null>, atEnd: boolean, toEnd: () => void): void {
  const latest = useRef({ atEnd, toEnd });
  useLayoutEffect(() => {
    latest.current = { atEnd, toEnd };
  });
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const watcher = new ResizeObserver(() => latest.current.atEnd && latest.current.toEnd());
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [scroller]);
}

/** The conversation is read when its end is in sight, on a page that somebody looks at. */
function useReadMark(party: PartyId, friend: FriendView | null, atEnd: boolean): void {
  const actions = useActions();
  const unread = friend?.unread ?? 0;
  useEffect(() => {
    if (!atEnd || unread === 0) return undefined;
    const mark = () => {
      // It is tried again with the next message: that something is unread is no news to disturb anybody with.
      if (document.visibilityState === "visible") void actions.markRead(party).catch(() => undefined);
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [actions, party, unread, atEnd]);
}

function useKinds(): (author: string) => Kind | null {
  const friends = useView((view) => view.friends);
  return useMemo(() => {
    const kinds = new Map(friends.map((each) => [each.id, each.kind]));
    return (author) => {
      const kind = kinds.get(author);
      return kind === undefined || kind === "group" ? null : kind;
    };
  }, [friends]);
}
