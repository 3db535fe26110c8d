import type { AuthorizationPolicy } from '../../model.ts';
import { type LintContext, named, nameOf, type Remark } from '../context.ts';
import type { Place } from './places.ts';
import { keyOfPolicy, listed } from './words.ts';

export const changesNothing = 'so that this one changes nothing';

export function stillCompared(remark: Remark): Remark {
  const only = 'so that for its sake nothing is refused but what can be read in two ways';
  return { ...remark, message: remark.message.replace(changesNothing, only) };
}

/** Where a DENY takes all rules of a policy that is one finding. */
export function oneForAll(policy: AuthorizationPolicy, remarks: readonly Remark[]): readonly Remark[] {
  const shadowed = remarks.filter(({ rule, path }) => rule === 'allow-shadowed-by-deny' && path.length === 3);
  const [first] = shadowed;
  if (!first || shadowed.length < 2 || shadowed.length !== policy.rules.length) return remarks;
  const texts = new Set(shadowed.map(({ message }) => message));
  if (texts.size > 1) return remarks;
  return [
    { ...first, path: ['spec', 'rules'], message: first.message.replace('this rule', 'this policy') },
    ...remarks.filter((each) => !shadowed.includes(each)),
  ];
}

export function onPorts(places: readonly Place[], { anyMesh }: LintContext): string {
  if (anyMesh) return 'wherever it holds';
  const names = new Set(places.map(({ workload }) => nameOf(workload)));
  return `on every port of ${named([...names])}`;
}

/** Of what others could change. */
export function onAllPorts(places: readonly Place[], context: LintContext): string {
  return context.anyMesh ? 'where no other policies hold' : onPorts(places, context);
}

export function notProven(policy: AuthorizationPolicy): Remark {
  return {
    policy,
    rule: 'effects-not-compared',
    path: ['spec', 'rules'],
    message: 'from here on, rules are too many for it to be proven which of them have an effect',
    mend: 'lint fewer policies at a time to find rules without an effect',
  };
}

export function tooMuch(policy: AuthorizationPolicy, tangled: readonly string[]): Remark {
  const names = tangled.length === 0 ? [keyOfPolicy(policy)] : tangled;
  return {
    policy,
    rule: 'effects-not-compared',
    path: ['spec', 'rules'],
    message: `what ${listed(names)} ${names.length > 1 ? 'say' : 'says'} can hold together in too many ways for it to be proven what of this policy has an effect`,
    mend: 'split that one, or write fewer beginnings and ends of the same text',
  };
}
