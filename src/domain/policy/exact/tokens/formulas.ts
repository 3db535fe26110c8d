import { isForOneOf, issuerIs } from '../asking/index.ts';
import type { Formula } from '../formulas.ts';
import type { ChoiceSpace } from '../spaces/choice-space.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { placeText, type TokenRule } from './rules.ts';

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
