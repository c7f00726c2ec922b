/** Duty: who of which group is on, and until when. It is the gateway's word; the entries behind it are its proof. */

import type { AccountId, DutyGroup, PartyId, ShiftView } from "../model";
import type { DutyAnswer } from "./documents";
import { type Drills, isDue } from "./drills";
import type { TitleOf } from "./episodes";

/** What the gateway says of all groups. */
export type Rota = Pick<DutyAnswer, "groups" | "now">;
type Answered = Rota["groups"][number];

const byTitle = (one: { title: string }, other: { title: string }) => one.title.localeCompare(other.title);

export class Duty {
  #answer: Rota | null = null;
  /** This browser's clock minus the gateway's, in ms. */
  #ahead = 0;
  #view: readonly DutyGroup[] | null = null;

  constructor(private readonly me: AccountId) {}

  /** What the gateway answered at `now` by this browser's clock. */
  learn(answer: Rota, now: number): void {
    this.#answer = answer;
    this.#ahead = now - answer.now;
  }

  get isKnown(): boolean {
    return this.#answer !== null;
  }

  /** Whether we are on duty in a group; null if the gateway did not tell. */
  isOn(group: PartyId): boolean | null {
    return this.#group(group)?.on.includes(this.me) ?? null;
  }

  /** Everybody in the group who is on. */
  on(group: PartyId): readonly AccountId[] {
    return this.#group(group)?.on ?? [];
  }

  members(group: PartyId): readonly AccountId[] {
    return this.#group(group)?.members ?? [];
  }

  /** When somebody else may be on, by this browser's clock: a shift begins, or ends. */
  nextChange(now: number): number | null {
    const times = (this.#answer?.groups ?? [])
      .flatMap(({ shifts }) => shifts.flatMap(({ begins, ends }) => [begins, ends]))
      .map((at) => at + this.#ahead)
      .filter((at) => at > now);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The same list as before, if nothing in it changed. */
  view(titleOf: TitleOf, drills: Drills, now: number): readonly DutyGroup[] | null {
    if (!this.#answer) return null;
    const view = this.#answer.groups.map((group) => this.#look(group, titleOf, drills, now)).sort(byTitle);
    if (JSON.stringify(view) !== JSON.stringify(this.#view)) this.#view = view;
    return this.#view;
  }

  #group(id: PartyId): Answered | undefined {
    return this.#answer?.groups.find((group) => group.id === id);
  }

  #look(group: Answered, titleOf: TitleOf, drills: Drills, now: number): DutyGroup {
    const { id, name, members, on } = group;
    const here = now - this.#ahead;
    const person = (account: AccountId) => ({
      account,
      title: titleOf(account),
      mine: account === this.me,
    });
    const shifts: ShiftView[] = group.shifts
      .filter(({ ends }) => ends > here)
      .map(({ account, begins, ends }) => ({ ...person(account), begins, ends }))
      .sort((one, other) => one.begins - other.begins || byTitle(one, other));
    const untilOf = (account: AccountId) =>
      shifts.find((shift) => shift.account === account && shift.begins <= here)?.ends ?? null;
    const present = on.map((account) => ({ ...person(account), until: untilOf(account) })).sort(byTitle);
    const drill = drills.last(id, titleOf);
    return {
      id,
      title: name ?? titleOf(id),
      members: members.map(person).sort(byTitle),
      on: present,
      everybody: present.length > 0 && present.every(({ until }) => until === null),
      mine: on.includes(this.me),
      shifts,
      drill,
      // Of other groups' drills we are not told.
      drillDue: members.includes(this.me) && isDue(drill, now),
    };
  }
}
