/** The days and the times of day of messages, where the person is. */

/** Figures as this browser's language writes them; days in the page's, since they stand among its words. */
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const CLOCK_TO_THE_SECOND = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** `22 Nov`. */
export function shortDay(at: number): string {
  return SHORT_DAY.format(at);
}

export function clock(at: number): string {
  return CLOCK.format(at);
}

export function clockToTheSecond(at: number): string {
  return CLOCK_TO_THE_SECOND.format(at);
}

export function sameDay(one: number, other: number): boolean {
  const [a, b] = [new Date(one), new Date(other)];
  return a.getDate() === b.getDate() && a.getMonth() === b.getMonth() && a.getFullYear() === b.getFullYear();
}

/** `Today`, `Yesterday`, `Friday 20 November`, or with its year if it is another one. */
export function dayName(at: number, now: number): string {
  if (sameDay(at, now)) return "Today";
  // By the calendar, not by 24 hours: days with a change of the clocks have 23 or 25.
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (sameDay(at, yesterday.getTime())) return "Yesterday";
  return new Date(at).getFullYear() === new Date(now).getFullYear()
    ? DAY.format(at)
    : DAY_AND_YEAR.format(at);
}
