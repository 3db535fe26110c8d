import type { Budget } from './budget.ts';
import {
  type Examples,
  exampleHosts,
  exampleMethods,
  examplePaths,
  pathsFor,
  sourcesFor,
  strangers,
  textsFor,
  valuesOfHeader,
} from './examples.ts';
import { type Formula, Formulas } from './formulas.ts';
import type { Attribute, PatternList } from './model.ts';
import { AddressSpace } from './spaces/address-space.ts';
import { ChoiceSpace } from './spaces/choice-space.ts';
import { ClaimSpace } from './spaces/claim-space.ts';
import { MetadataSpace } from './spaces/metadata-space.ts';
import { SetSpace } from './spaces/set-space.ts';
import type { Cell, Space } from './spaces/space.ts';
import { TextSpace } from './spaces/text-space.ts';
import { TokenSpace } from './spaces/token-space.ts';
import { VerdictSpace } from './spaces/verdict-space.ts';
import { headerValues, hosts, methods, serverNames, spiffeNames } from './text/domain.ts';
import { canonicalPaths } from './text/path-domain.ts';
import { holdsTokenField, tokenMark } from './tokens/carriers.ts';

export interface Literal {
  readonly attribute: number;
  /** As the policy writes it. */
  readonly list: PatternList;
  /** `<kind>/<namespace>/<name>` of the first policy that asks it. */
  readonly policy: string | undefined;
}

/** What makes a literal, and tells it from others. */
export interface Asked<S extends Space> {
  readonly space: S;
  /** Of two that ask the same of the attribute the same text. */
  readonly key: string;
  readonly list: PatternList;
  readonly add: (space: S, literal: number) => void;
}

/**
 * The attributes and literals that formulas speak of. An attribute is all that depends on one another: between two
 * attributes any values fit together, save what `claimsThatExclude` says.
 */
export class Vocabulary {
  readonly formulas: Formulas;
  readonly #budget: Budget;
  readonly #examples: Examples;
  readonly #trustDomain: string;
  readonly #realTokens: boolean;
  readonly #spaces: Space[] = [];
  readonly #spacesByKey = new Map<string, number>();
  readonly #literals: Literal[] = [];
  readonly #formulasByKey = new Map<string, Formula>();

  /** @param realTokens whether tokens are those that a proxy can take, or claims free; see TokenSpace */
  constructor(budget: Budget, examples: Examples, trustDomain: string, realTokens = false) {
    this.formulas = new Formulas(budget);
    this.#budget = budget;
    this.#examples = examples;
    this.#trustDomain = trustDomain;
    this.#realTokens = realTokens;
  }

  /** What policy the literals that are asked next are of. */
  owner: string | undefined;

  ask<S extends Space>({ space, key, list, add }: Asked<S>): Formula {
    const attribute = this.#spaces.indexOf(space);
    const full = `${attribute} ${key}`;
    const known = this.#formulasByKey.get(full);
    if (known !== undefined) return known;
    const literal = this.#literals.length;
    this.#literals.push({ attribute, list, policy: this.owner });
    add(space, literal);
    const formula = this.formulas.literal(literal, attribute);
    this.#formulasByKey.set(full, formula);
    return formula;
  }

  literal(number: number): Literal {
    const found = this.#literals[number];
    if (!found) throw new Error(`there is no literal ${number}`);
    return found;
  }

  space(attribute: number): Space {
    const found = this.#spaces[attribute];
    if (!found) throw new Error(`there is no attribute ${attribute}`);
    return found;
  }

  /** Of which there are several, with their numbers. */
  get spaces(): readonly Space[] {
    return this.#spaces;
  }

  source(): TextSpace {
    const examples = (cell: Cell) => [
      [...this.#examples.sources, ...this.#written(cell, (pattern) => this.#examples.sourcesOf(pattern))],
      this.#written(cell, (pattern, field) => sourcesFor(field, pattern, this.#trustDomain)),
      strangers(this.#trustDomain),
    ];
    return this.#text({ kind: 'source' }, spiffeNames, { isOptional: true, examples });
  }

  method(): TextSpace {
    const examples = (cell: Cell) => [
      ...exampleMethods.map((method) => [method]),
      this.#written(cell, textsFor),
    ];
    return this.#text({ kind: 'method' }, methods, { examples });
  }

  host(): TextSpace {
    const examples = (cell: Cell) => [
      this.#examples.hosts,
      this.#written(cell, (pattern) => textsFor(pattern).map((text) => text.toLowerCase())),
      this.#written(cell, textsFor),
      exampleHosts,
    ];
    return this.#text({ kind: 'host' }, hosts, { examples });
  }

  path(): TextSpace {
    const examples = (cell: Cell) => [examplePaths.slice(0, 1), this.#written(cell, pathsFor), examplePaths];
    return this.#text({ kind: 'path' }, canonicalPaths, { examples });
  }

  sni(): TextSpace {
    const examples = (cell: Cell) => [
      ['', ...this.#examples.hosts],
      this.#written(cell, (pattern) => textsFor(pattern).map((text) => text.toLowerCase())),
      exampleHosts,
    ];
    return this.#text({ kind: 'sni' }, serverNames, { examples });
  }

  /** One that comes as one, however often it was sent. */
  joinedHeader(name: string): TextSpace {
    const examples = (cell: Cell) => [
      [...[...cell.truths].flatMap((literal) => this.#withToken(literal)), ...valuesOfHeader(name)],
      this.#written(cell, textsFor),
      ['example'],
    ];
    return this.#text({ kind: 'header', name }, headerValues, { isOptional: true, examples });
  }

  header(name: string): SetSpace {
    return this.#space(
      { kind: 'header', name },
      SetSpace,
      (attribute) =>
        new SetSpace(attribute, headerValues, this.#budget, (literal) => [
          ...this.#withToken(literal),
          ...valuesOfHeader(name),
          ...this.#natural(literal),
        ]),
    );
  }

  claim(path: readonly string[]): ClaimSpace {
    // The identifier of a token is a string, or the token is none (RFC 7519, section 4.1.7).
    const isString = this.#realTokens && path.length === 1 && path[0] === 'jti';
    return this.#space(
      { kind: 'claim', path },
      ClaimSpace,
      (attribute) => new ClaimSpace(attribute, this.#budget, this.#natural, isString),
    );
  }

  token(): TokenSpace {
    return this.#space(
      { kind: 'token' },
      TokenSpace,
      () => new TokenSpace(this.#budget, this.#natural, this.#realTokens),
    );
  }

  /** Where a token comes; absent where there is none, or none that anybody looks for. */
  tokenPlace(): ChoiceSpace {
    return this.#space({ kind: 'tokenPlace' }, ChoiceSpace, (attribute) => new ChoiceSpace(attribute));
  }

  /** What verifies it; absent where nothing that any rule has does. */
  tokenKey(): ChoiceSpace {
    return this.#space({ kind: 'tokenKey' }, ChoiceSpace, (attribute) => new ChoiceSpace(attribute));
  }

  metadata(filter: string, name: string): MetadataSpace {
    return this.#space(
      { kind: 'metadata', filter, name },
      MetadataSpace,
      (attribute) => new MetadataSpace(attribute, this.#budget, this.#natural),
    );
  }

  address(kind: 'sourceIp' | 'remoteIp' | 'destinationIp'): AddressSpace {
    return this.#space(
      { kind },
      AddressSpace,
      (attribute) =>
        new AddressSpace(attribute, this.#budget, () =>
          kind === 'destinationIp' ? this.#examples.ownAddresses : this.#examples.addresses,
        ),
    );
  }

  /** @param ofConnection where it is asked about the connection, and about requests in the other world */
  provider(name: string, ofConnection: boolean): VerdictSpace {
    const attribute = {
      kind: 'provider' as const,
      name,
      ...(ofConnection && { about: 'connection' as const }),
    };
    return this.#space(attribute, VerdictSpace, () => new VerdictSpace(attribute));
  }

  readonly #natural = (literal: number): readonly string[] => [
    ...this.literal(literal)
      .list.patterns.map((pattern) => pattern.replace(/^\[(.*)\]$/s, '$1'))
      .flatMap(textsFor),
    'example',
  ];

  /** Of a header that is asked for a token one that has it. */
  #withToken(literal: number): readonly string[] {
    const { field, patterns } = this.literal(literal).list;
    return field === holdsTokenField ? patterns.map((prefix) => `${prefix}${tokenMark}`) : [];
  }

  /** Of what is written in the lists that a cell is in. */
  #written(cell: Cell, of: (pattern: string, field: string) => readonly string[]): readonly string[] {
    return [...cell.truths].flatMap((literal) => {
      const { field, patterns } = this.literal(literal).list;
      return patterns.slice(0, 8).flatMap((pattern) => of(pattern, field));
    });
  }

  #text(
    attribute: Attribute,
    domain: ConstructorParameters<typeof TextSpace>[1],
    options: ConstructorParameters<typeof TextSpace>[3],
  ): TextSpace {
    return this.#space(attribute, TextSpace, () => new TextSpace(attribute, domain, this.#budget, options));
  }

  #space<S extends Space>(
    attribute: Attribute,
    kind: abstract new (...parts: never[]) => S,
    make: (attribute: Attribute) => S,
  ): S {
    const key = JSON.stringify(attribute);
    const known = this.#spaces[this.#spacesByKey.get(key) ?? -1];
    if (known instanceof kind) return known;
    const made = make(attribute);
    this.#spacesByKey.set(key, this.#spaces.length);
    this.#spaces.push(made);
    return made;
  }
}
