/** What a look sees of a file: its text, or nothing where it is gone. */
export interface Sighting {
  readonly text: string | undefined;
  /** When it was first seen to be so. */
  readonly since: number;
  /** When it was first seen to be other than what is believed. */
  readonly changing: number;
}

/**
 * Which of the files that are other than before are to be believed. One that is written in place, or taken away and made
 * anew, is empty, half there or gone for a moment, and a DENY in it with it: so a change counts once it has been seen to
 * be the same for a while.
 * @param known what is believed; null where the text behind it is not known
 * @param seen what the look saw, in both without what could not be read
 * @param before what had changed at the last look and was not believed yet
 * @param settle milliseconds
 */
export function settleFiles(
  known: ReadonlyMap<string, string | null>,
  seen: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, Sighting>,
  { now, settle }: { readonly now: number; readonly settle: number },
): { readonly settled: readonly string[]; readonly unsettled: ReadonlyMap<string, Sighting> } {
  const settled: string[] = [];
  const unsettled = new Map<string, Sighting>();
  for (const name of new Set([...seen.keys(), ...known.keys()])) {
    const text = seen.get(name);
    if (known.has(name) ? known.get(name) === text : text === undefined) continue;
    const last = before.get(name);
    const since = last && last.text === text ? last.since : now;
    // A clock that was set back must hold nothing up.
    if (Math.abs(now - since) >= settle) settled.push(name);
    else unsettled.set(name, { text, since, changing: last?.changing ?? now });
  }
  return { settled, unsettled };
}
