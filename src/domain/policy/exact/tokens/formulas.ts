import { holdsToken, isForOneOf, issuerIs } from '../asking/index.ts';
import { type Formula, never } from '../formulas.ts';
import type { ChoiceSpace } from '../spaces/choice-space.ts';
import type { Vocabulary } from '../vocabulary.ts';
import type { Carrier } from './carriers.ts';
import { placeText, rulesReading, type TokenRule } from './rules.ts';

/** What becomes of a token that a request may bring. */
export interface TokenFormulas {
  /** So that policies see its claims. */
  readonly taken: Formula;
  readonly refused: Formula;
}

export function tokenFormulas(vocabulary: Vocabulary, rules: readonly TokenRule[]): TokenFormulas {
  const { formulas } = vocabulary;
  vocabulary.owner = undefined;
  const comes = ({ places }: TokenRule) =>
    formulas.or(places.map((place) => choice(vocabulary, vocabulary.tokenPlace(), placeText(place))));
  const taken = formulas.or(
    rules.map((rule) =>
      formulas.and([
        comes(rule),
        formulas.or(rule.keys.map((key) => choice(vocabulary, vocabulary.tokenKey(), key))),
        ...(rule.issuer === undefined ? [] : [issuerIs(vocabulary, rule.issuer)]),
        ...(rule.audiences.length === 0 ? [] : [isForOneOf(vocabulary, rule.audiences)]),
      ]),
    ),
  );
  return { taken, refused: formulas.and([formulas.or(rules.map(comes)), formulas.not(taken)]) };
}

/** What policies see of a header for tokens. */
export interface CarrierSeen {
  readonly carrier: Carrier;
  /** A token is in it that some rule's key, of either world, has signed. */
  readonly isGood: Formula;
  /** It is thrown away before policies look at it. */
  readonly isRemoved: Formula;
}

/** @param keys of both worlds */
export function carriersSeen(
  vocabulary: Vocabulary,
  carriers: readonly Carrier[],
  rules: readonly TokenRule[],
  keys: readonly string[],
): ReadonlyMap<string, CarrierSeen> {
  const { formulas } = vocabulary;
  const isSigned = formulas.or(keys.map((key) => choice(vocabulary, vocabulary.tokenKey(), key)));
  const { taken } = tokenFormulas(vocabulary, rules);
  return new Map(
    carriers.map((carrier) => {
      const comes = comesIn(vocabulary, carrier);
      const [reading] = rulesReading(rules, placeText(carrier.place));
      const isRemoved = reading?.isPassedOn === false ? formulas.and([comes, taken]) : never;
      return [carrier.name, { carrier, isGood: formulas.and([comes, isSigned]), isRemoved }];
    }),
  );
}

/** A token comes in a header just where what stands before one is in it. */
export function tokensAreInCarriers(vocabulary: Vocabulary, carriers: readonly Carrier[]): Formula {
  const { formulas } = vocabulary;
  return formulas.and(
    carriers.map((carrier) => {
      const [comes, holds] = [comesIn(vocabulary, carrier), holdsToken(vocabulary, carrier)];
      return formulas.or([formulas.and([comes, holds]), formulas.not(formulas.or([comes, holds]))]);
    }),
  );
}

function comesIn(vocabulary: Vocabulary, { place }: Carrier): Formula {
  return choice(vocabulary, vocabulary.tokenPlace(), placeText(place));
}

function choice(vocabulary: Vocabulary, space: ChoiceSpace, name: string): Formula {
  return vocabulary.ask({
    space,
    key: `is ${name}`,
    list: { field: space.attribute.kind, patterns: [name] },
    add: (own, literal) => {
      own.add(literal, name);
    },
  });
}
