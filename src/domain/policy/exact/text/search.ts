import type { Budget } from '../budget.ts';
import type { Automaton } from './automaton.ts';
import type { Domain, Group } from './domain.ts';
import { classesOf } from './pieces.ts';

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
  /** Sorted, each once. */
  readonly states: readonly number[];
  readonly domain: number;
  readonly before: Place | undefined;
  readonly code: number;
}

/**
 * All ways in which strings of a domain can be in some languages and not in others, each with a shortest string that is so.
 * Breadth first over pairs of where the domain is and where the languages are: what can follow depends on nothing else, so
 * that each pair is looked at once. Of the characters that neither tells apart, one is tried. That makes it complete.
 */
export class TextSearch {
  readonly #automaton: Automaton;
  readonly #domain: Domain;
  readonly #budget: Budget;

  constructor(automaton: Automaton, domain: Domain, budget: Budget) {
    this.#automaton = automaton;
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
    const wanted = new Set(languages);
    const states = sorted(all.flatMap((language) => this.#automaton.startsOf(language)));
    const first: Place = { states, domain: this.#domain.start, before: undefined, code: 0 };
    const seen = new Set([keyOf(first)]);
    const found = new Map<string, Found>();
    let layer: Place[] = [first];
    while (layer.length > 0) {
      const next: Place[] = [];
      for (const place of layer) {
        this.#budget.spend(1 + place.states.length, all);
        if (this.#domain.accepts(place.domain)) {
          const accepting = this.#accepting(place.states);
          if (isAsGiven(accepting, given)) {
            const own = new Set([...accepting].filter((language) => wanted.has(language)));
            const key = [...own].toSorted((a, b) => a - b).join(' ');
            if (!found.has(key)) found.set(key, { languages: own, codes: spell(place) });
            if (enough) return [...found.values()];
          }
        }
        for (const after of this.#after(place)) {
          if (!this.#canBe(after.states, given)) continue;
          const key = keyOf(after);
          if (seen.has(key)) continue;
          seen.add(key);
          next.push(after);
        }
      }
      layer = next;
    }
    return [...found.values()];
  }

  /** Which of the languages a string is in; undefined for one that is none of the domain. */
  languagesOf(codes: readonly number[], languages: readonly number[]): ReadonlySet<number> | undefined {
    let domain: number | undefined = this.#domain.start;
    let states: readonly number[] = languages.flatMap((language) => this.#automaton.startsOf(language));
    for (const code of codes) {
      domain = this.#domain.step(domain, code);
      if (domain === undefined) return undefined;
      const mask = classesOf(code);
      const next: number[] = [];
      for (const state of states) {
        const { byCode, byClass } = this.#automaton.at(state);
        for (const [own, to] of byCode) if (own === code) next.push(to);
        for (const [of, to] of byClass) if ((of & mask) !== 0) next.push(to);
      }
      states = sorted(next);
    }
    return this.#domain.accepts(domain) ? this.#accepting(states) : undefined;
  }

  #accepting(states: readonly number[]): ReadonlySet<number> {
    const found = new Set<number>();
    for (const state of states) {
      const { accepts, language } = this.#automaton.at(state);
      if (accepts) found.add(language);
    }
    return found;
  }

  /** Whether all that must match still can. */
  #canBe(states: readonly number[], { within }: Given): boolean {
    return within.every((language) =>
      states.some((state) => this.#automaton.at(state).language === language),
    );
  }

  #after(place: Place): readonly Place[] {
    const byCode = new Map<number, number[]>();
    const byClass: (readonly [classes: number, next: number])[] = [];
    for (const state of place.states) {
      const own = this.#automaton.at(state);
      for (const [code, next] of own.byCode) {
        const known = byCode.get(code);
        if (known) known.push(next);
        else byCode.set(code, [next]);
      }
      for (const edge of own.byClass) byClass.push(edge);
    }
    const made: Place[] = [];
    const go = (code: number, own: readonly number[]) => {
      const domain = this.#domain.step(place.domain, code);
      if (domain === undefined) return;
      const mask = classesOf(code);
      const open = byClass.flatMap(([of, next]) => ((of & mask) === 0 ? [] : [next]));
      made.push({ states: sorted([...own, ...open]), domain, before: place, code });
    };
    for (const group of this.#domain.groups(place.domain)) {
      const code = other(group, byCode);
      if (code !== undefined) go(code, []);
    }
    for (const [code, own] of byCode) go(code, own);
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

function keyOf({ states, domain }: Place): string {
  return `${domain} ${states.join(' ')}`;
}

function sorted(states: readonly number[]): readonly number[] {
  return [...new Set(states)].sort((a, b) => a - b);
}
