import { hasClaim, hasServerName, isKnown } from './asking/index.ts';
import { always, type Formula } from './formulas.ts';
import type { Carrier } from './tokens/carriers.ts';
import { tokensAreInCarriers } from './tokens/formulas.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A claim that is a string or a list is no object, so that there is nothing in it. */
export function claimsThatExclude(vocabulary: Vocabulary, ...some: readonly Formula[]): Formula {
  const { formulas } = vocabulary;
  const paths = formulas.attributeList(...some).flatMap((number): readonly (readonly string[])[] => {
    const { attribute } = vocabulary.space(number);
    if (attribute.kind === 'token') return [['iss'], ['sub']];
    return attribute.kind === 'claim' ? [attribute.path] : [];
  });
  const within = (outer: readonly string[], inner: readonly string[]) =>
    inner.length > outer.length && outer.every((name, at) => inner[at] === name);
  const exclusions = paths.flatMap((outer) =>
    paths
      .filter((inner) => within(outer, inner))
      .map((inner) => formulas.not(formulas.and([hasClaim(vocabulary, outer), hasClaim(vocabulary, inner)]))),
  );
  return exclusions.length === 0 ? always : formulas.and(exclusions);
}

/** A token comes in a header just where what stands before one is in it. */
export function tokensAreWhereHeadersSay(
  vocabulary: Vocabulary,
  carriers: readonly Carrier[],
  ...some: readonly Formula[]
): Formula {
  const asked = vocabulary.formulas
    .attributeList(...some)
    .map((number) => vocabulary.space(number).attribute);
  // Otherwise it can be wherever it fits.
  if (!asked.some(({ kind }) => kind === 'tokenPlace')) return always;
  const read = carriers.filter(({ name }) =>
    asked.some((each) => each.kind === 'header' && each.name === name),
  );
  return tokensAreInCarriers(vocabulary, read);
}

/**
 * Without mutual TLS nothing names a server: TLS of an application's own is not read, and goes another way where a port is
 * read as HTTP.
 */
export function namesNoServerUnlessKnown(vocabulary: Vocabulary, ...some: readonly Formula[]): Formula {
  const { formulas } = vocabulary;
  const asks = formulas
    .attributeList(...some)
    .some((each) => vocabulary.space(each).attribute.kind === 'sni');
  return asks ? formulas.or([isKnown(vocabulary), formulas.not(hasServerName(vocabulary))]) : always;
}
