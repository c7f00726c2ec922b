/** The engine: puts its parts together, and gives the page one thing to look at and to call. */

import type { Actions, AdminActions, Engine, Priority } from "../model";
import { startBadge } from "./badge";
import { Board } from "./board";
import { readOwnSessions } from "./documents";
import { Door } from "./door";
import { wordsForPeople } from "./errors";
import { Gateway } from "./gateway";
import { watchIdle } from "./idle";
import { giveUpJoining, lookUp, readJoinCode } from "./joining";
import { webLocks } from "./locks";
import type { SessionActions } from "./session";
import { Sound } from "./sound";
import { type Shelf, Visitors } from "./visitors";
import type { World } from "./world";

const DOWNLOAD = "/v1/admin/chain/download";

/** The engine of a browser's page. */
export function createEngine(): Engine {
  const board = new Board();
  const world: World = {
    board,
    gateway: new Gateway((input, init) => fetch(input, init)),
    turns: webLocks,
    visitors: new Visitors(shelfHere() ?? NO_SHELF),
    now: () => Date.now(),
  };
  const door = new Door(world, async (...given) => {
    const { openSession } = await import("./session");
    // A browser that is short of space, or idle for long, deletes what it was not asked to keep. It may ask the person.
    navigator.storage?.persist?.().catch(() => undefined);
    return await openSession(...given);
  });
  const sound = new Sound(board);
  sound.start(document);
  startBadge(board, document);
  watchIdle(document, world.visitors, world.now, () => door.lock());
  window.addEventListener("online", () => door.wake());
  window.addEventListener("storage", () => door.follow());
  document.addEventListener("visibilitychange", () => door.wake());
  void begin(door, board);
  return {
    view: () => board.view(),
    subscribe: (changed) => board.subscribe(changed),
    actions: allActions(world, door, sound),
  };
}

async function begin(door: Door, board: Board): Promise<void> {
  if (!window.isSecureContext) {
    board.show({ stage: { name: "insecure" } });
    return;
  }
  const missing = await missingHere();
  if (missing !== null) {
    board.show({ stage: { name: "unsupported", missing } });
    return;
  }
  await door.start();
}

const NO_SHELF: Shelf = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };

/** Null where the browser was told to let pages keep nothing. */
function shelfHere(): Shelf | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** What this browser lacks, in words. */
async function missingHere(): Promise<string | null> {
  if (!shelfHere()) return "a place to keep your keys (it is told to keep nothing of this page)";
  if (!("indexedDB" in window)) return "a place to keep your keys (IndexedDB)";
  if (!("locks" in navigator)) return "Web Locks";
  if (!("BroadcastChannel" in window)) return "BroadcastChannel";
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return null;
  } catch {
    return "Ed25519 signatures";
  }
}

function allActions(world: World, door: Door, sound: Sound): Actions {
  const { board } = world;
  return {
    ...wordsForPeople({
      ...comingIn(world, door),
      ...deedsOf(() => door.session.actions),
      testSound: (priority: Priority) => sound.test(priority),
    }),
    lock: () => door.lock(),
    conversation: (party) => door.session.actions.conversation(party),
    // The same promise for the same message: nothing is put around it.
    open: (id) => door.session.actions.open(id),
    opened: (id) => door.session.actions.opened(id),
    dismiss: (trouble) => board.dismiss(trouble),
    admin: lateAdmin(world, door),
  };
}

type ComingIn =
  | "lookUpCode"
  | "register"
  | "giveUpJoining"
  | "confirmRecovery"
  | "login"
  | "loginWithRecovery"
  | "restore"
  | "logout"
  | "changePassword"
  | "renewRecovery"
  | "unlock"
  | "sessions"
  | "endSession";

function comingIn(world: World, door: Door): Pick<Actions, ComingIn> {
  const { gateway } = world;
  return {
    lookUpCode: async (joinString) => (await lookUp(world, readJoinCode(joinString))).invited,
    register: (wish) => door.register(wish),
    giveUpJoining: async () => giveUpJoining(world),
    confirmRecovery: async (typed) => door.confirmRecovery(typed),
    login: (handle, password) => door.login(handle, password),
    loginWithRecovery: (handle, code, wanted) => door.loginWithRecovery(handle, code, wanted),
    restore: (secret) => door.restore(secret),
    logout: (options) => door.logout(options),
    changePassword: (old, wanted) => door.changePassword(old, wanted),
    renewRecovery: (password) => door.renewRecovery(password),
    unlock: (password) => door.unlock(password),
    sessions: async () => (await gateway.ask("GET", "/v1/sessions", readOwnSessions)).sessions,
    endSession: (id) => gateway.tell(`/v1/sessions/${id}/end`),
  };
}

type Deeds = Omit<SessionActions, "conversation" | "open" | "opened">;

/** Each asks for the session when it is called: there may be another one by then. */
function deedsOf(now: () => Deeds): Deeds {
  return {
    send: (to, said) => now().send(to, said),
    retry: (id) => now().retry(id),
    discard: (id) => now().discard(id),
    markRead: (party) => now().markRead(party),
    proof: (id) => now().proof(id),
    take: (episode) => now().take(episode),
    release: (episode) => now().release(episode),
    resolve: (episode) => now().resolve(episode),
    snooze: (episode, until, reason) => now().snooze(episode, until, reason),
    drill: (group) => now().drill(group),
    takeShift: (group, shift) => now().takeShift(group, shift),
    limits: (device) => now().limits(device),
    setLimits: (device, sensor, changes) => now().setLimits(device, sensor, changes),
    alarmLoad: () => now().alarmLoad(),
    contracts: () => now().contracts(),
    befriend: (handle) => now().befriend(handle),
    accept: (account) => now().accept(account),
    unfriend: (party) => now().unfriend(party),
    safetyCode: (account) => now().safetyCode(account),
    setVerified: (account, verified) => now().setVerified(account, verified),
    acceptKeys: (account) => now().acceptKeys(account),
    dismissKeyNotice: (account) => now().dismissKeyNotice(account),
  };
}

/** Few are admins, so that what only they need is loaded when one of them asks for it. */
function lateAdmin(world: World, door: Door): AdminActions {
  let loading: Promise<AdminActions> | null = null;
  const load = () => {
    loading ??= import("./admin").then(({ adminActions }) =>
      adminActions(world, location, () => door.session),
    );
    return loading;
  };
  return {
    accounts: async () => (await load()).accounts(),
    invites: async () => (await load()).invites(),
    groups: async () => (await load()).groups(),
    links: async () => (await load()).links(),
    invite: async (wish) => (await load()).invite(wish),
    joins: async () => (await load()).joins(),
    confirm: async (invite, digits) => (await load()).confirm(invite, digits),
    cancel: async (invite) => (await load()).cancel(invite),
    certificates: async () => (await load()).certificates(),
    renew: async (account) => (await load()).renew(account),
    revoke: async (account, reason) => (await load()).revoke(account, reason),
    link: async (one, other) => (await load()).link(one, other),
    unlink: async (one, other) => (await load()).unlink(one, other),
    group: async (wish) => (await load()).group(wish),
    planShift: async (group, account, shift) => (await load()).planShift(group, account, shift),
    endShift: async (group, account, shift) => (await load()).endShift(group, account, shift),
    sessions: async () => (await load()).sessions(),
    endSession: async (id) => (await load()).endSession(id),
    health: async () => (await load()).health(),
    verifyNow: async () => (await load()).verifyNow(),
    downloadUrl: DOWNLOAD,
    audit: async (filter) => (await load()).audit(filter),
    refusals: async (before) => (await load()).refusals(before),
  };
}
