import { comparedParts } from '../decide/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, MutualTlsMode, Policy } from '../model.ts';
import { policyKey } from '../read/index.ts';
import { askableProviders, type WorldSettings } from '../world/index.ts';
import { isAmbiguousPart } from './ambiguity.ts';
import { isKnown, type Reading } from './asking/index.ts';
import { type FormulaField, formulaFields } from './fields.ts';
import { always, type Formula, never } from './formulas.ts';
import type { Mark, PortProtocol } from './model.ts';
import type { Carrier } from './tokens/carriers.ts';
import { carriersSeen, tokenFormulas } from './tokens/formulas.ts';
import { madeHeaders } from './tokens/made-headers.ts';
import { type TokenRule, wordsOf } from './tokens/rules.ts';
import type { Vocabulary } from './vocabulary.ts';

/** One port as one world has it. */
export interface Place {
  readonly policies: readonly Policy[];
  readonly protocol: PortProtocol;
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
  readonly port: number | 'other';
  /** Whether a proxy is there to enforce anything. */
  readonly proxied: boolean;
  /** What tokens are taken; undefined where that is as in the world it is compared with, so that claims are free. */
  readonly tokenRules?: readonly TokenRule[] | undefined;
  /** Where policies look at headers for tokens: these, and the keys of tokens, of both worlds. */
  readonly carriers?: Carriers;
  /** What is asked about here, where it is not what the port is read as; of `bytes` all that is no request. */
  readonly carries?: 'requests' | 'bytes';
}

export interface Carriers {
  readonly headers: readonly Carrier[];
  readonly keys: readonly string[];
}

interface Given extends Pick<Reading, 'port' | 'taken' | 'carriers' | 'made'> {
  readonly words: readonly string[];
  readonly tcp: boolean;
  readonly ofConnection: boolean;
}

function authorizationsOf({ policies }: Place): readonly AuthorizationPolicy[] {
  return policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
}

/** Makes the formulas "is allowed" and "is marked" of places of one world. */
export class Outcomes {
  readonly #vocabulary: Vocabulary;
  readonly #settings: WorldSettings;
  readonly #known = new Map<string, WeakMap<Policy, Formula>>();

  constructor(vocabulary: Vocabulary, settings: WorldSettings) {
    this.#vocabulary = vocabulary;
    this.#settings = settings;
  }

  /** As `decide` puts it together, in its order; that is of no importance for what is allowed. */
  allowed(place: Place): Formula {
    const { arrives, denied, allowed } = this.#steps(place);
    return this.#vocabulary.formulas.and([arrives, this.#vocabulary.formulas.not(denied), allowed]);
  }

  /** What gets as far as the policies of a mark, and which of it they match. */
  marked(place: Place, { action, dryRun }: Mark): { readonly arrives: Formula; readonly matched: Formula } {
    const { formulas } = this.#vocabulary;
    const { arrives, denied, matched } = this.#steps(place);
    const isAfterDeny = action === 'ALLOW';
    return {
      arrives: isAfterDeny ? formulas.and([arrives, formulas.not(denied)]) : arrives,
      matched: matched(
        authorizationsOf(place).filter((policy) => policy.dryRun === dryRun),
        action,
      ),
    };
  }

  #steps(place: Place) {
    const { protocol, mode, port, tokenRules, carries } = place;
    const { formulas } = this.#vocabulary;
    const tcp = protocol === 'tcp';
    const ofConnection = tcp && carries === 'requests';
    const token = tcp ? undefined : tokenRules && tokenFormulas(this.#vocabulary, tokenRules);
    const carriers = token && this.#carriers(place);
    const made = token && tokenRules && madeHeaders(tokenRules);
    const given: Given = {
      tcp,
      port,
      taken: token?.taken,
      words: wordsOf(tokenRules),
      ofConnection,
      ...(carriers && { carriers }),
      ...(made && { made }),
    };
    const enforced = authorizationsOf(place).filter((policy) => !policy.dryRun);
    const matched = (some: readonly AuthorizationPolicy[], action: AuthorizationPolicy['action']) =>
      formulas.or(
        some.filter((policy) => policy.action === action).map((policy) => this.#matches(policy, given)),
      );
    const ambiguous = tcp
      ? []
      : [...comparedParts(enforced)].map((part) => isAmbiguousPart(this.#vocabulary, part));
    const askable = askableProviders(this.#settings, tcp);
    const refused = enforced
      .filter(({ action }) => action === 'CUSTOM')
      .map((policy) =>
        formulas.and([this.#refuses(policy.provider, askable, ofConnection), this.#matches(policy, given)]),
      );
    const arrives = formulas.and([
      // A proxy that reads HTTP answers all other bytes itself.
      !tcp && carries === 'bytes' ? never : takenFormula(this.#vocabulary, mode),
      ...ambiguous.map((each) => formulas.not(each)),
      formulas.not(formulas.or(refused)),
      ...(token ? [formulas.not(token.refused)] : []),
    ]);
    const allowed = enforced.some(({ action }) => action === 'ALLOW') ? matched(enforced, 'ALLOW') : always;
    return { arrives, denied: matched(enforced, 'DENY'), allowed, matched };
  }

  #carriers({ tokenRules, carriers }: Place): Reading['carriers'] {
    return tokenRules && carriers
      ? carriersSeen(this.#vocabulary, carriers.headers, tokenRules, carriers.keys)
      : undefined;
  }

  /** An authorizer outside may say what it likes; one that is not there, or cannot be asked, refuses. */
  #refuses(provider: string | undefined, askable: readonly string[], ofConnection: boolean): Formula {
    if (provider === undefined || !askable.includes(provider)) return always;
    return this.#vocabulary.ask({
      space: this.#vocabulary.provider(provider, ofConnection),
      key: 'refuses',
      list: { field: 'refuses', patterns: [] },
      add: () => undefined,
    });
  }

  /** Whether any of a policy's rules matches. Worked out once, however many workloads it holds for. */
  #matches(
    policy: AuthorizationPolicy,
    { tcp, port, taken, words, ofConnection, carriers, made }: Given,
  ): Formula {
    const headers = [...(carriers ?? [])].map(([name, seen]) => [
      name,
      seen.carrier.prefix,
      seen.isGood,
      seen.isRemoved,
    ]);
    const variant = JSON.stringify([tcp, port, taken, ofConnection, words, headers, [...(made ?? [])]]);
    const known = this.#known.get(variant) ?? new WeakMap<Policy, Formula>();
    this.#known.set(variant, known);
    const before = known.get(policy);
    if (before !== undefined) return before;
    this.#vocabulary.owner = policyKey({ ...policy.meta, kind: policy.kind });
    const reading: Reading = {
      vocabulary: this.#vocabulary,
      mesh: this.#settings,
      port,
      early: policy.action === 'CUSTOM',
      taken,
      words: new Set(words),
      ofConnection,
      ...(carriers && { carriers }),
      ...(made && { made }),
    };
    const found = this.#vocabulary.formulas.or(
      policy.rules.map((rule) => ruleFormula(rule, policy, tcp, reading)),
    );
    known.set(policy, found);
    return found;
  }
}

/** Whether a port takes a connection at all: with mutual TLS the caller is known, without it never. */
export function takenFormula(vocabulary: Vocabulary, mode: Place['mode']): Formula {
  if (mode === 'PERMISSIVE') return always;
  const known = isKnown(vocabulary);
  return mode === 'STRICT' ? known : vocabulary.formulas.not(known);
}

/** When a rule matches, as `decide` has it; the fields of HTTP that a connection does not have narrow an ALLOW alone. */
export function ruleFormula(
  rule: AuthorizationRule,
  policy: AuthorizationPolicy,
  tcp: boolean,
  reading: Reading,
): Formula {
  const { formulas } = reading.vocabulary;
  const { from, to, when } = formulaFields(rule, policy);
  const used = ({ values, notValues }: FormulaField) => values.length > 0 || notValues.length > 0;
  const unknown = [...from.flat(), ...to.flat(), ...when].some((each) => each.httpOnly && used(each));
  if (tcp && unknown && policy.action === 'ALLOW') return never;
  const all = (fields: readonly FormulaField[]) =>
    formulas.and(
      fields
        .filter((each) => used(each) && !(tcp && each.httpOnly))
        .flatMap(({ name, values, notValues, any }) => [
          ...(values.length > 0 ? [any(name, values, reading)] : []),
          ...(notValues.length > 0 ? [formulas.not(any(name, notValues, reading))] : []),
        ]),
    );
  const some = (alternatives: readonly (readonly FormulaField[])[]) =>
    alternatives.length === 0 ? always : formulas.or(alternatives.map(all));
  return formulas.and([some(from), some(to), all(when)]);
}
