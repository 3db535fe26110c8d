import type { Budget } from '../budget.ts';
import { Automaton } from './automaton.ts';
import type { Domain, Group } from './domain.ts';
import type { Languages } from './languages.ts';
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

/** Automata that are kept: the next question is often about the same languages. */
const kept = 4;

const none: ReadonlySet<number> = new Set();
const [percent, questionMark] = [0x25, 0x3f];

/** More states than a domain has, so that a run and a state make one number. */
const domainStates = 64;

/**
 * All ways in which strings of a domain can be in some languages and not in others, each with a shortest string that is so.
 * Breadth first over pairs of where the domain is and where the languages are: what can follow depends on nothing else, so
 * that each pair is looked at once. Of the characters that neither tells apart, one is tried. That makes it complete.
 */
export class TextSearch {
  readonly #languages: Languages;
  readonly #known = new Map<string, readonly [Automaton, Runs]>();
  readonly #domain: Domain;
  readonly #budget: Budget;

  constructor(languages: Languages, domain: Domain, budget: Budget) {
    this.#languages = languages;
    this.#domain = domain;
    this.#budget = budget;
  }

  /** @param enough stops at the first, where it is only asked whether there is any */
  find(
    languages: readonly number[],
    given: Given = { within: [], outside: [] },
    { enough = false } = {},
  ): readonly Found[] {
    const all = [...new Set([...languages, ...given.within, ...given.outside])];
    const [automaton, runs] = this.#automaton(all, given.within);
    const needless = this.#needless(all);
    const wanted = new Set(languages);
    const seen = new Set<number>();
    const accepted = new Set<Run>();
    const found = new Map<string, Found>();
    const places: Place[] = [];
    const reach = (run: Run, domain: number, before: Place | undefined, code: number) => {
      const number = run.number * domainStates + domain;
      if (seen.has(number) || run.needed !== automaton.needed) return;
      seen.add(number);
      this.#budget.spend(1 + (run.size >> 2));
      places.push({ run, domain, before, code });
    };
    reach(runs.start, this.#domain.start, undefined, 0);
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
      const groups = this.#domain.groups(domain);
      // Where somebody names every plain character, a `%` is the only other one.
      const [plain] = groups;
      const isNamed = plain !== undefined && other(plain, run.named) === undefined;
      const go = (code: number | undefined) => {
        if (code === undefined || (needless.has(code) && !(code === percent && isNamed))) return;
        const next = this.#domain.step(domain, code);
        if (next !== undefined) reach(runs.after(run, code), next, place, code);
      };
      for (const group of groups) go(other(group, run.named));
      for (const code of run.named.keys()) go(code);
    }
    return [...found.values()];
  }

  /** Which of the languages a string is in; undefined for one that is none of the domain. */
  languagesOf(codes: readonly number[], languages: readonly number[]): ReadonlySet<number> | undefined {
    let domain: number | undefined = this.#domain.start;
    const [, runs] = this.#automaton(languages, []);
    let run = runs.start;
    for (const code of codes) {
      domain = this.#domain.step(domain, code);
      if (domain === undefined) return undefined;
      run = runs.after(run, code);
    }
    return this.#domain.accepts(domain) ? run.accepting : undefined;
  }

  /** Characters without which there are strings of all kinds too. */
  #needless(languages: readonly number[]): ReadonlySet<number> {
    if (this.#domain.isOfPaths !== true) return none;
    return new Set([
      ...(this.#languages.lookAtEscapes(languages) ? [] : [percent]),
      ...(this.#languages.lookAtQuery(languages) ? [] : [questionMark]),
    ]);
  }

  #automaton(languages: readonly number[], must: readonly number[]): readonly [Automaton, Runs] {
    const key = `${languages.join(' ')},${must.join(' ')}`;
    const before = this.#known.get(key);
    if (before) return before;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= kept) this.#known.delete(oldest);
    const automaton = new Automaton(this.#languages, languages, must);
    this.#budget.spend(automaton.size >> 2);
    const made = [automaton, new Runs(automaton, this.#budget)] as const;
    this.#known.set(key, made);
    return made;
  }
}

/** A character of the group that no language asks for by itself. */
function other({ preferred, more }: Group, named: ReadonlyMap<number, unknown>): number | undefined {
  for (let at = 0; at < preferred.length; at += 1) {
    const code = preferred.charCodeAt(at);
    if (!named.has(code)) return code;
  }
  if (!more) return undefined;
  for (let code = more[0]; code <= more[1]; code += 1) if (!named.has(code)) return code;
  return undefined;
}

export function isAsGiven(accepting: ReadonlySet<number>, { within, outside }: Given): boolean {
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
