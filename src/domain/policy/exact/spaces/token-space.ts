import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import { texts, tokenNames } from '../text/domain.ts';
import { Languages } from '../text/languages.ts';
import { anything, classes, type Piece, type Row, separator } from '../text/pieces.ts';
import { TextSearch } from '../text/search.ts';
import { SetSpace } from './set-space.ts';
import type { LazySpace, Sample } from './space.ts';

/** What a literal asks of a token: `<issuer>/<subject>`, or one of both claims by itself. */
export type TokenPart = 'name' | 'iss' | 'sub';

const slash = 0x2f;
const between: Piece = { kind: 'codes', codes: [separator] };

/** The rows of a pattern that speaks of `iss` and `sub` by themselves; see the space. */
export function tokenRows(
  part: TokenPart,
  of: (star: 1 | 16, code: (code: number) => readonly number[]) => Row,
): Row {
  const one = (code: number) => [code];
  switch (part) {
    case 'name':
      // A slash of the pattern may be the one that stands between both.
      return of(classes.any, (code) => (code === slash ? [slash, separator] : [code]));
    case 'iss':
      return [...of(classes.notSeparator, one), between, anything(classes.notSeparator)];
    case 'sub':
      return [anything(classes.notSeparator), between, ...of(classes.notSeparator, one)];
  }
}

/**
 * The issuer and the subject of a token. Either both are strings with something in them, and so it has a name: they are
 * looked at as one string with a separator that neither can hold. Or it has no name, and then each may be anything else: no
 * string, an empty one, or a list of any strings. Without a name, whatever is asked of both by themselves can be so: as
 * lists.
 */
export class TokenSpace implements LazySpace {
  readonly kind = 'lazy';
  readonly attribute: Attribute = { kind: 'token' };
  readonly #all = new Languages();
  readonly #search: TextSearch;
  readonly #languageOf = new Map<number, number>();
  readonly #partOf = new Map<number, TokenPart>();
  readonly #alone: Readonly<Record<'iss' | 'sub', SetSpace>>;
  readonly #stringsOnly: boolean;

  /** @param stringsOnly neither is a list, as in every token that a proxy takes (RFC 7519, section 4.1) */
  constructor(budget: Budget, examples: (literal: number) => readonly string[], stringsOnly = false) {
    this.#stringsOnly = stringsOnly;
    this.#search = new TextSearch(this.#all, tokenNames, budget);
    const space = () => new SetSpace(this.attribute, texts, budget, examples);
    this.#alone = { iss: space(), sub: space() };
  }

  /**
   * @param named in a token with a name, as tokenRows gives them
   * @param alone the same of one claim by itself; of no meaning for names
   */
  add(literal: number, part: TokenPart, named: readonly Row[], alone: readonly Row[]): void {
    this.#languageOf.set(literal, this.#all.add(named));
    this.#partOf.set(literal, part);
    if (part !== 'name') this.#alone[part].add(literal, alone);
  }

  sample(truths: readonly number[], falses: readonly number[]): readonly [Sample] | undefined {
    if (truths.length === 0) return [undefined];
    const given = { within: this.#languages(truths), outside: this.#languages(falses) };
    const [found] = this.#search.find([], given, { enough: true });
    if (found) {
      const at = found.codes.indexOf(separator);
      const [issuer, subject] = [found.codes.slice(0, at), found.codes.slice(at + 1)];
      return [
        {
          kind: 'token',
          named: true,
          issuer: [String.fromCharCode(...issuer)],
          subject: [String.fromCharCode(...subject)],
        },
      ];
    }
    if (truths.some((literal) => this.#partOf.get(literal) === 'name')) return undefined;
    const of = (part: 'iss' | 'sub', some: readonly number[]) =>
      some.filter((literal) => this.#partOf.get(literal) === part);
    if (this.#stringsOnly) return this.#oneString(truths, falses, of);
    const issuer = this.#alone.iss.sample(of('iss', truths), of('iss', falses));
    const subject = this.#alone.sub.sample(of('sub', truths), of('sub', falses));
    if (!issuer || !subject) return undefined;
    return [{ kind: 'token', named: false, issuer: listOf(issuer[0]), subject: listOf(subject[0]) }];
  }

  /** Two strings would be a name, but for an empty one, of which nobody can ask more than of none. */
  #oneString(
    truths: readonly number[],
    falses: readonly number[],
    of: (part: 'iss' | 'sub', some: readonly number[]) => readonly number[],
  ): readonly [Sample] | undefined {
    const [issuer, subject] = [of('iss', truths), of('sub', truths)];
    if (issuer.length > 0 && subject.length > 0) return undefined;
    const part = issuer.length > 0 ? 'iss' : 'sub';
    const text = this.#alone[part].one(truths, of(part, falses));
    if (text === undefined) return undefined;
    const [iss, sub] = part === 'iss' ? [[text], []] : [[], [text]];
    return [{ kind: 'token', named: false, issuer: iss, subject: sub }];
  }

  #languages(literals: readonly number[]): readonly number[] {
    return literals.flatMap((literal) => this.#languageOf.get(literal) ?? []);
  }
}

function listOf(sample: Sample): readonly string[] {
  return sample?.kind === 'list' ? sample.texts : [];
}
