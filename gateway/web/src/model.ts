/**
 * What the page shows, and what a person can do with it.
 *
 * `src/engine` makes a `View` and carries out the `Actions`; `src/ui` draws the one and calls the other. Nothing
 * here knows of the network, of storage or of React. Times are ms since 1970.
 */

/** 26 characters of base32: a person, a device, a service. */
export type AccountId = string;
/** An account, or a group (`g-...`). */
export type PartyId = string;
/** A UUIDv7. */
export type EntryId = string;

export type Role = "admin" | "member" | "gateway";
export type Kind = "person" | "device" | "service";
export type Priority = "high" | "medium" | "low" | "info";
/** Why an alert is left alone for a while. */
export type SnoozeReason = "care" | "transport" | "repair" | "known" | "test" | "other";

/** A new password has at least so many characters. */
export const FEWEST_CHARACTERS = 8;

/** Where the person is. Exactly one screen belongs to each. */
export type Stage =
  | { name: "starting" }
  /** No secure context (plain HTTP from elsewhere than localhost): there is no cryptography to be had. */
  | { name: "insecure" }
  /** This browser lacks something that is needed; `missing` says what. */
  | { name: "unsupported"; missing: string }
  /** Nobody is logged in. `reason` says why, if somebody was; `handle` is who was here last. */
  | { name: "welcome"; reason: string | null; handle: string | null }
  /** Joining: an admin lets them in once both have compared six digits. It goes on by itself then. */
  | { name: "matching"; account: AccountId; handle: string; digits: string }
  /** Registered just now: the recovery code, shown this once, to be confirmed before anything else. */
  | { name: "recovery"; code: string }
  /** Logged in, but this browser does not have the keys (never had, or lost them: `lost`). */
  | { name: "restore"; handle: string; lost: boolean }
  | { name: "home" }
  /** Idle for too long: nothing is shown but how many alerts are open, and they go on sounding. */
  | { name: "locked"; handle: string }
  /** The gateway contradicted itself. Nothing works any more; the evidence is kept. */
  | { name: "two-histories"; evidence: Evidence };

export interface Evidence {
  /** The checkpoint that was held, and what was shown against it, as signed. */
  held: string;
  shown: string;
  reason: string;
  at: number;
}

export interface Me {
  account: AccountId;
  handle: string;
  name: string;
  role: Role;
  /** When the session ends if nothing more is asked. */
  expires: number;
}

/** The connection: `live` is told of what happens; `ended` means that the session is over. */
export type Lamp = "connecting" | "live" | "offline" | "ended";

/** A new object at each change; its parts are the same objects as before where they did not change. */
export interface View {
  stage: Stage;
  me: Me | null;
  lamp: Lamp;
  /** Why the gateway takes nothing new, by its own word: its disk failed, or is full. Null: it does. */
  halted: string | null;
  /** The gateway's name, as in `ward-3.example`. */
  site: string | null;
  /** Entries that are read of those there were when it began, while a browser reads the history. */
  catchingUp: { done: number; total: number } | null;
  /** As to be listed: unacknowledged first, by priority, the oldest first within one. */
  alerts: readonly AlertView[];
  /** By name. */
  friends: readonly FriendView[];
  /** The groups that we may write to, and who is on duty in each, by name; null until the gateway told. */
  duty: readonly DutyGroup[] | null;
  /** Entries of ours that wait for their receipt, or were refused. */
  unsent: readonly Unsent[];
  /** Whether this page may make a sound now; a browser may not until somebody touched the page. */
  sound: "armed" | "silent";
  /** Something went wrong that the person has to know, until it is dismissed. */
  troubles: readonly Trouble[];
}

export interface Trouble {
  id: number;
  text: string;
}

export interface FriendView {
  id: PartyId;
  kind: Kind | "group";
  /** `asked`: they wait for us. `asking`: we wait for them. `member`: a group that we are in. */
  state: "contact" | "asked" | "asking" | "member";
  live: boolean;
  handle: string | null;
  /** What to call it: its name, its handle, or the beginning of its id. */
  title: string;
  online: boolean;
  lastSeen: number | null;
  unread: number;
  /** Alerts of this conversation that nobody has taken. */
  openAlerts: number;
  /** `at` of the newest message, to sort by. */
  latest: number | null;
  /** A person compared the safety code. It is false again once a key changed. */
  verified: boolean;
  /** What is to be said loudly of its keys, and whether they wait for a person's word before they are used. */
  keyNotice: { text: string; waiting: boolean } | null;
}

/** An episode: condition, acknowledgement and sounding are three things. */
export interface AlertView {
  episode: string;
  priority: Priority;
  kind: "physiological" | "technical";
  /** Whether what it is about goes on. */
  active: boolean;
  /** Who took it (it counts no more once the priority rose, or they released it). */
  takenBy: { account: AccountId; title: string; at: number; mine: boolean } | null;
  resolved: boolean;
  /** Neither taken nor resolved: it stays listed, also when the condition has ended. */
  open: boolean;
  /** It is heard here and now: open, not snoozed, and for us: we are on duty for it, or nobody answered. */
  sounding: boolean;
  /** We are on duty for one of those who were told so far. Who is not sees it, and hears nothing. */
  duty: boolean;
  /** It is left alone until then. It ends by itself, when the priority rises, and when somebody takes it. */
  snoozed: { until: number; reason: SnoozeReason; account: AccountId; title: string; mine: boolean } | null;
  /** Who is told next; null where no contract escalates it. */
  escalation: Escalation | null;
  /** When the last step had passed, and nobody had answered. It is heard by everybody then, on duty or not. */
  nobody: number | null;
  /** Somebody took it, and had not resolved it in time: when it was taken from them, and began again. */
  overdue: { at: number; title: string } | null;
  /** Whom it went to, and whom a step named: what they are called. */
  concerned: readonly string[];
  /** Somebody tries whether an alert is answered. It is over once it is resolved. */
  drill: boolean;
  seenBy: readonly { account: AccountId; title: string; at: number }[];
  /** The conversation that it belongs to, who sent it, and what they are called. */
  conversation: PartyId;
  author: AccountId;
  authorTitle: string;
  /** When the episode began, and when it was last heard of: the gateway's time, at which it was committed. */
  began: number;
  latest: number;
  /** The newest message of the episode: what is taken, and whose content says what it is. */
  message: EntryId;
  /** All of its messages, oldest first. */
  messages: readonly EntryId[];
}

/** How an alert that nobody takes is brought to more and more people. */
export interface Escalation {
  /** In order; `at` is when it was reached last, in this lap. */
  steps: readonly { party: PartyId; title: string; at: number | null }[];
  /**
   * What happens if nobody answers: the next step (`title` is whom it names), or from the last step on another lap, or the
   * end in "nobody answered" (`title` is null). `due` is an estimate. Null while it stands still: taken, snoozed, resolved.
   */
  next: { title: string | null; due: number } | null;
  /** How often the steps have begun: 1 is the first time. */
  lap: number;
}

/** Somebody in a group. */
export interface Person {
  account: AccountId;
  title: string;
  mine: boolean;
}

export interface ShiftView extends Person {
  begins: number;
  ends: number;
}

export interface DutyGroup {
  id: PartyId;
  title: string;
  /** By name. */
  members: readonly Person[];
  /** Who is on now, and until when; null for who is on because nobody has a shift. */
  on: readonly (Person & { until: number | null })[];
  /** Nobody has a shift now: everybody is on. */
  everybody: boolean;
  /** We are a member, and on now. */
  mine: boolean;
  /** Those of now and those to come, by when they begin. */
  shifts: readonly ShiftView[];
  /** The last drill that we know of. */
  drill: DrillView | null;
  /** We are a member, and there was none within a week. */
  drillDue: boolean;
}

export interface DrillView {
  /** Its message. */
  id: EntryId;
  at: number;
  /** Who held it. */
  title: string;
  /** Who took it, and how many ms after it began. */
  taken: { title: string; after: number } | null;
  resolved: boolean;
}

/** What a sensor is watched for, on all its channels. Null is no such limit; times are in seconds. */
export interface Limits {
  low: number | null;
  high: number | null;
  /** How long a limit has to be crossed. */
  mustLast: number;
  /** It is over when the value is this far inside again. */
  clearBy: number;
  /** No reading for so long is an alert of its own; 0 if it is not. */
  staleAfter: number;
  priority: Priority;
}

/** What is left out stays as it is; null does without it (and is `medium` as the priority). */
export type LimitChanges = Partial<{
  low: number | null;
  high: number | null;
  mustLast: number | null;
  clearBy: number | null;
  staleAfter: number | null;
  priority: Priority | null;
}>;

/** A sensor of a device, as the device said last. */
export interface SensorLimits {
  sensor: string;
  /** UCUM; empty if it has none, or did not say. */
  unit: string;
  /** The ready-made settings that it began with. */
  preset: string | null;
  /** In force. */
  limits: Limits;
  /** When the device said so. */
  at: number;
  /** Whose change is in force; null if it is as in the device's own file. */
  changed: { title: string; at: number } | null;
  /** The last change that was asked for, as far as we can read it, if the device has not answered it. */
  pending: { title: string; at: number; changes: LimitChanges } | null;
  /** The last change that the device did not take over, if nothing was changed since: why, in its words. */
  refused: { title: string; at: number; changes: LimitChanges; words: string } | null;
}

/** The alarm load: what a device raised in a week (which begins on Monday, 00:00 UTC). */
export interface LoadLine {
  author: AccountId;
  title: string;
  week: number;
  alerts: number;
  /** Those of them that are about the device itself. */
  technical: number;
  taken: number;
  /** Those that nobody answered. */
  nobody: number;
  /** From the alert to its being taken, in ms: half of them took no longer. Null if none was taken. */
  median: number | null;
}

/** A smart contract in force. */
export interface ContractView {
  id: string;
  hash: string;
  kind: string;
  installed: number;
  /** What it does, as the gateway explains it. */
  words: readonly string[];
  /** Of one that escalates: whom it names, and after how many seconds each. */
  steps: readonly { party: PartyId; title: string; after: number }[];
}

/** One message of a conversation: everything that is known without opening it. */
export interface MessageLine {
  index: number;
  id: EntryId;
  author: AccountId;
  authorTitle: string;
  mine: boolean;
  /** The author's clock. */
  at: number;
  re: EntryId | null;
  alert: { episode: string; priority: Priority; state: "start" | "continue" | "end"; kind: string } | null;
  seenBy: readonly { account: AccountId; title: string; at: number }[];
  /** `pending` and `refused` are ours and not committed: they have no index (-1). */
  state: "committed" | "pending" | "refused";
}

/**
 * A message, opened. `forwardedBy`: it was not sealed for us; somebody who could read it passed it on, and it is proven
 * that this is what its author said.
 */
export type Opened = Content & { forwardedBy?: string };

/** What a message says depends on its content type. */
export type Content =
  | { kind: "text"; text: string }
  | { kind: "reading"; sensor: string; channel: string | null; value: number; unit: string; at: number }
  | { kind: "fault"; sensor: string; reason: string; detail: string }
  /** What a sensor's alert is about: `low`, `high`, or why there are no readings. */
  | {
      kind: "episode";
      sensor: string;
      channel: string | null;
      what: string;
      limit: number | null;
      since: number;
      /** When it was over. */
      until: number | null;
      value: number | null;
      unit: string;
      detail: string;
      /** The last ones, the oldest first. */
      readings: readonly { at: number; value: number }[];
    }
  /** Samples that were lost. */
  | { kind: "gap"; sensor: string; from: number; to: number; lost: number; reason: string }
  /** How many samples each sensor gave. */
  | { kind: "heartbeat"; from: number; to: number; sensors: readonly { sensor: string; samples: number }[] }
  /** To a device: other limits for a sensor. */
  | { kind: "limits"; sensor: string; changes: LimitChanges }
  /** By a device: the limits in force, and `change`: whose wish they are. `refused`: why it did not do what was asked. */
  | {
      kind: "settings";
      sensors: readonly {
        sensor: string;
        unit: string;
        preset: string | null;
        limits: Limits;
        change: { by: AccountId; at: number | null; request: EntryId | null } | null;
      }[];
      refused: string | null;
    }
  /** A message that is passed on to who could not open it. It is shown in that one's place. */
  | { kind: "forward" }
  /** The alert of a drill. */
  | { kind: "drill"; text: string }
  | { kind: "file"; name: string; type: string; bytes: Uint8Array<ArrayBuffer>; text: string }
  /** A content type that this page does not know: shown as it is. */
  | { kind: "other"; cty: string; text: string }
  /** It was erased, or it does not open. There is one error for every failure to open. */
  | { kind: "erased" }
  | { kind: "sealed"; reason: string };

/** A conversation's lines, oldest first. `version` changes when any of them does. */
export interface Conversation {
  party: PartyId;
  version: number;
  length: number;
  line(position: number): MessageLine;
  /** The position of an entry, or -1. */
  find(id: EntryId): number;
}

export interface Unsent {
  id: EntryId;
  /** What it is, for a person: `message to Dr. Lee`. */
  what: string;
  conversation: PartyId | null;
  state: "pending" | "refused";
  /** Why it was refused. */
  reason: string | null;
}

/** What this page itself checked about an entry. */
export interface Proof {
  id: EntryId;
  index: number;
  /** Of the entry's exact bytes, in hex. */
  leafHash: string;
  treeSize: number;
  rootHash: string;
  /** Number of hashes that led from the leaf to the root. */
  pathLength: number;
  block: { height: number; hash: string; timestamp: number } | null;
  origin: string;
  signer: { account: AccountId; title: string; kid: string; current: boolean };
  /** The signer's keys, oldest first. */
  keys: readonly { kid: string; index: number; by: "join" | "rotation" | "reset"; at: number | null }[];
  commitment: string | null;
  /** The checkpoint, as signed. */
  checkpoint: string;
  /** The entry's exact bytes, its receipt (C2SP tlog-proof), and the gateway's key (`vkey`): enough to check it elsewhere. */
  entry: string;
  receipt: string;
  verifierKey: string;
  /** The checks in words, in the order in which they were made; all of them held. */
  checks: readonly string[];
}

export interface SafetyCode {
  words: readonly string[];
  /** What the QR code says. */
  qr: string;
}

export interface InvitedView {
  handle: string;
  kind: Kind;
  role: Role;
  expires: number;
}

export interface SessionLine {
  id: string;
  account: AccountId;
  handle: string | null;
  begun: number;
  used: number;
  expires: number;
  /** The browser, in words. */
  agent: string;
  /** Whether it is this browser's. */
  current: boolean;
}

/** What a person can do. Each raises an `Error` whose message is for a person, and changes nothing then. */
export interface Actions {
  // Coming in
  lookUpCode(joinString: string): Promise<InvitedView>;
  /** `progress` is told in words what is done now: making keys takes some seconds. */
  register(wish: {
    code: string;
    name: string;
    password: string;
    progress(step: string): void;
  }): Promise<void>;
  /** On the stage `matching`: do not wait any longer. */
  giveUpJoining(): Promise<void>;
  /** The person has written the recovery code down, and typed it in again. Raises if it is another one. */
  confirmRecovery(typed: string): Promise<void>;
  login(handle: string, password: string): Promise<void>;
  /** For who forgot the password: logs in, restores the keys, and sets a new password. */
  loginWithRecovery(handle: string, code: string, newPassword: string): Promise<void>;
  /** On the stage `restore`: what opens the backup is the password or the recovery code. */
  restore(secret: { password: string } | { recovery: string }): Promise<void>;
  /** `forget` also removes the keys and everything else from this browser. */
  logout(options: { forget: boolean }): Promise<void>;
  changePassword(old: string, wanted: string): Promise<void>;
  /** Makes a new recovery code; the old one is good for nothing then. It is not shown again. */
  renewRecovery(password: string): Promise<string>;
  lock(): void;
  unlock(password: string): Promise<void>;
  sessions(): Promise<readonly SessionLine[]>;
  endSession(id: string): Promise<void>;

  // Conversations
  conversation(party: PartyId): Conversation;
  /** Opens a message; the same promise for the same message, so that a list may ask often. */
  open(id: EntryId): Promise<Opened>;
  /** What `open` found, if it is there already. */
  opened(id: EntryId): Opened | undefined;
  /** Resolves when the message is stored in the outbox, sealed: it goes out as soon as it can. */
  send(to: PartyId, said: { text: string; file?: File; re?: EntryId }): Promise<void>;
  /** Try what was refused again, or give it up. */
  retry(id: EntryId): Promise<void>;
  discard(id: EntryId): Promise<void>;
  /** The conversation was looked at, to its end. */
  markRead(party: PartyId): Promise<void>;
  proof(id: EntryId): Promise<Proof>;

  // Alerts
  take(episode: string): Promise<void>;
  release(episode: string): Promise<void>;
  resolve(episode: string): Promise<void>;
  /** Leave it alone until then (at most 24 h), and say why. */
  snooze(episode: string, until: number, reason: SnoozeReason): Promise<void>;
  /** Raises an alert that tries whether the group answers. Nobody may take it for a real one. */
  drill(group: PartyId): Promise<void>;
  /** Arms the sound (it has to be called by a click or a key), and sounds the pattern of a priority. */
  testSound(priority: Priority): Promise<void>;

  // Duty
  /** Be on duty in a group, in place of `from` if that is given. A note is a message to the group. */
  takeShift(
    group: PartyId,
    shift: { from?: AccountId; begins: number; ends: number; note?: string },
  ): Promise<void>;

  // Devices and contracts
  /** By sensor. Ask again when the conversation with the device changed. Empty: the device never said. */
  limits(device: AccountId): Promise<readonly SensorLimits[]>;
  /** Asks the device for other limits: it answers, and `limits` says how. */
  setLimits(device: AccountId, sensor: string, changes: LimitChanges): Promise<void>;
  /** The newest week first. */
  alarmLoad(): Promise<readonly LoadLine[]>;
  contracts(): Promise<readonly ContractView[]>;

  // Friends
  /** Ask somebody, by handle, to be a contact. */
  befriend(handle: string): Promise<void>;
  accept(account: AccountId): Promise<void>;
  unfriend(party: PartyId): Promise<void>;
  safetyCode(account: AccountId): Promise<SafetyCode>;
  setVerified(account: AccountId, verified: boolean): Promise<void>;
  /** Take the keys that wait: a person compared the safety code. */
  acceptKeys(account: AccountId): Promise<void>;
  dismissKeyNotice(account: AccountId): Promise<void>;

  dismiss(trouble: number): void;
  admin: AdminActions;
}

export interface AccountRow {
  account: AccountId;
  kind: Kind;
  role: Role;
  live: boolean;
  keyed: boolean;
  index: number;
  handle: string | null;
  name: string | null;
  online: boolean;
  lastSeen: number | null;
}

export interface InviteRow {
  id: EntryId;
  kind: Kind;
  role: Role;
  expires: number;
  handle: string | null;
  author: AccountId;
  usedBy: AccountId | null;
  index: number;
  /** It was tried too often, or an admin stopped it. */
  dead: boolean;
}

/** Somebody who waits to be let in with six digits. */
export interface JoinRow {
  /** The invite's entry. */
  invite: EntryId;
  handle: string;
  kind: Kind;
  role: Role;
  since: number;
  /** How often the code was tried in vain. */
  tries: number;
  /** The digits were right: it comes in with its next question. */
  confirmed: boolean;
}

/** The newest certificate of an account. */
export interface CertificateRow {
  account: AccountId;
  until: number;
  revoked: boolean;
  /** It ended, and an admin has to let it be renewed. */
  expired: boolean;
  /** Until when an admin has. */
  renewable: number | null;
}

export interface GroupRow {
  id: PartyId;
  name: string | null;
  members: readonly AccountId[];
}

export interface LinkRow {
  one: PartyId;
  other: PartyId;
  /** Who asked, while the other has not accepted; null once it is in force. */
  askedBy: AccountId | null;
}

export interface ChainHealth {
  height: number;
  size: number;
  /** When the newest block was cut. */
  timestamp: number;
  checkpoint: string;
  /** Bytes of the chain's files, and left on their disk. */
  bytes: number;
  free: number;
  verify: VerifyState;
}

/** The gateway's own check of every byte; `idle` if there was none since it started. */
export type VerifyState =
  | { state: "idle" }
  | { state: "running"; since: number }
  | { state: "done"; at: number; ms: number; ok: boolean; height: number; size: number; detail: string };

/** A line of the audit list: what an entry did, and who signed it. */
export interface AuditLine {
  index: number;
  at: number;
  id: EntryId;
  type:
    | "invite"
    | "account"
    | "key"
    | "revoke"
    | "contact"
    | "group"
    | "redact"
    | "contract"
    | "shift"
    | "approve";
  author: AccountId;
  authorTitle: string;
  /** In words: `linked fridge-2 to on-call`. */
  what: string;
}

export interface RefusalLine {
  number: number;
  at: number;
  account: AccountId | null;
  title: string | null;
  rule: string;
  reason: string;
}

/** Only an admin's calls succeed. */
export interface AdminActions {
  accounts(): Promise<readonly AccountRow[]>;
  invites(): Promise<readonly InviteRow[]>;
  groups(): Promise<readonly GroupRow[]>;
  links(): Promise<readonly LinkRow[]>;
  /** Returns the join string, which is nowhere else. With `match`, six digits are compared before they come in. */
  invite(wish: {
    handle: string;
    kind: Kind;
    role: "admin" | "member";
    hours: number;
    match: boolean;
  }): Promise<string>;
  joins(): Promise<readonly JoinRow[]>;
  /** Lets in who waits with the code of this invite, if `digits` are theirs. */
  confirm(invite: EntryId, digits: string): Promise<void>;
  /** Makes a join code that was not used good for nothing. */
  cancel(invite: EntryId): Promise<void>;
  /** None where the gateway serves its own machine only. */
  certificates(): Promise<readonly CertificateRow[]>;
  /** Lets an account have a certificate although its newest has expired; until when. */
  renew(account: AccountId): Promise<number>;
  revoke(account: AccountId, reason: "left" | "lost" | "compromised" | "retired"): Promise<void>;
  link(one: AccountId, other: PartyId): Promise<void>;
  unlink(one: AccountId, other: PartyId): Promise<void>;
  /** Makes a group, or changes the one with this id; without members it ends. */
  group(wish: { id: PartyId | null; name: string; members: readonly AccountId[] }): Promise<void>;
  /** Puts somebody on duty, in place of `instead` if that is given. At most 31 days at a time. */
  planShift(
    group: PartyId,
    account: AccountId,
    shift: { begins: number; ends: number; instead?: AccountId },
  ): Promise<void>;
  /** Takes somebody off duty for that time. */
  endShift(group: PartyId, account: AccountId, shift: { begins: number; ends: number }): Promise<void>;
  sessions(): Promise<readonly SessionLine[]>;
  endSession(id: string): Promise<void>;
  health(): Promise<ChainHealth>;
  /** Begin to verify; `health` tells how it ended. */
  verifyNow(): Promise<void>;
  /** Where the log can be downloaded, to be checked elsewhere. */
  downloadUrl: string;
  /** A page of what happened, the newest first; `before` is the index where the last page ended. */
  audit(filter: {
    type: AuditLine["type"] | null;
    before: number | null;
  }): Promise<{ lines: readonly AuditLine[]; before: number | null }>;
  refusals(before: number | null): Promise<{ lines: readonly RefusalLine[]; before: number | null }>;
}

/** The one thing that the UI is given. */
export interface Engine {
  view(): View;
  /** Calls back at each change of the view; returns what ends that. */
  subscribe(changed: () => void): () => void;
  actions: Actions;
}
