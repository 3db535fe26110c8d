/** Milliseconds. Calls are counted by periods, so that those of a window can be told from older ones. */
const recordPeriod = 6 * 3_600_000;

export function periodOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / recordPeriod) * recordPeriod);
}
