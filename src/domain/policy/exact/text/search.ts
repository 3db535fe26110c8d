import type { Budget } from '../budget.ts';
import type { Automaton } from './automaton.ts';
import type { Domain, Group } from './domain.ts';
import { type Run, Runs } from './runs.ts';

/** What every string must be in, and must not be in. */
export interface Given {
  readonly within: readonly number[];
  readonly outside: readonly number[];
}

export interface Found {
  /** The languages that the string is in, of those that were asked about. */
  readonly languages: ReadonlySet<number>;
  readonly codes: readonly number[];
}

interface Place {
  readonly run: Run;
  readonly domain: number;
  readonly before: Place | undefined;
  readonly code: number;
}

/** That are kept from one search to the next. */
const mostRuns = 5000;

/** More states than a domain has, so that a run and a state make one number. */
const domainStates = 64;

/**
 * All ways in which strings of a domain can be in some languages and not in others, each with a shortest string that is so.
 * Breadth first over pairs of where the domain is and where the languages are: what can follow depends on nothing else, so
 * that each pair is looked at once. Of the characters that neither tells apart, one is tried. That makes it complete.
 */
export class TextSearch {
  readonly #automaton: Automaton;
  #runs: Runs;
  readonly #domain: Domain;
  readonly #budget: Budget;

  constructor(automaton: Automaton, domain: Domain, budget: Budget) {
    this.#automaton = automaton;
    this.#runs = new Runs(automaton);
    this.#domain = domain;
    this.#budget = budget;
  }

  /** @param enough stops at the first, where it is only asked whether there is any */
  find(
    languages: readonly number[],
    given: Given = { within: [], outside: [] },
    { enough = false } = {},
  ): readonly Found[] {
    // Runs of other questions are of little use to this one, and take memory.
    if (this.#runs.size > mostRuns) this.#runs = new Runs(this.#automaton);
    const all = [...new Set([...languages, ...given.within, ...given.outside])];
    const wanted = new Set(languages);
    const seen = new Set<number>();
    const accepted = new Set<Run>();
    const found = new Map<string, Found>();
    const places: Place[] = [];
    const reach = (run: Run, domain: number, before: Place | undefined, code: number) => {
      const number = run.number * domainStates + domain;
      if (seen.has(number) || !given.within.every((language) => run.alive.has(language))) return;
      seen.add(number);
      this.#budget.spend(1 + (run.size >> 3), all);
      places.push({ run, domain, before, code });
    };
    reach(this.#runs.start(all), this.#domain.start, undefined, 0);
    // Breadth first: what is reached is looked at in the same order.
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at];
      if (!place) break;
      const { run, domain } = place;
      if (!accepted.has(run) && this.#domain.accepts(domain)) {
        accepted.add(run);
        if (isAsGiven(run.accepting, given)) {
          const own = new Set([...run.accepting].filter((language) => wanted.has(language)));
          const key = [...own].sort((a, b) => a - b).join(' ');
          this.#budget.spend(own.size);
          if (!found.has(key)) found.set(key, { languages: own, codes: spell(place) });
          if (enough) break;
        }
      }
      for (const group of this.#domain.groups(domain)) {
        const code = other(group, run.named);
        if (code !== undefined) this.#step(place, code, reach);
      }
      for (const code of run.named) this.#step(place, code, reach);
    }
    return [...found.values()];
  }

  /** Which of the languages a string is in; undefined for one that is none of the domain. */
  languagesOf(codes: readonly number[], languages: readonly number[]): ReadonlySet<number> | undefined {
    let domain: number | undefined = this.#domain.start;
    let run = this.#runs.start(languages);
    for (const code of codes) {
      domain = this.#domain.step(domain, code);
      if (domain === undefined) return undefined;
      run = this.#runs.after(run, code);
    }
    return this.#domain.accepts(domain) ? run.accepting : undefined;
  }

  #step(
    place: Place,
    code: number,
    reach: (run: Run, domain: number, before: Place, code: number) => void,
  ): void {
    const domain = this.#domain.step(place.domain, code);
    if (domain !== undefined) reach(this.#runs.after(place.run, code), domain, place, code);
  }
}

/** A character of the group that no language asks for by itself. */
function other({ preferred, more }: Group, named: ReadonlySet<number>): number | undefined {
  for (let at = 0; at < preferred.length; at += 1) {
    const code = preferred.charCodeAt(at);
    if (!named.has(code)) return code;
  }
  if (!more) return undefined;
  for (let code = more[0]; code <= more[1]; code += 1) if (!named.has(code)) return code;
  return undefined;
}

function isAsGiven(accepting: ReadonlySet<number>, { within, outside }: Given): boolean {
  return (
    within.every((language) => accepting.has(language)) &&
    !outside.some((language) => accepting.has(language))
  );
}

function spell(place: Place): readonly number[] {
  const codes: number[] = [];
  for (let at: Place = place; at.before !== undefined; at = at.before) codes.push(at.code);
  return codes.reverse();
}
