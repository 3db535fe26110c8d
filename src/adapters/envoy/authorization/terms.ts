import type { Permission, Principal } from '../../../gen/envoy/config/rbac/v3/rbac.ts';

/** The logic of RBAC, which has it twice: for what is asked, and for who asks. */
export interface Logic<T> {
  readonly any: T;
  readonly all: (terms: readonly T[]) => T;
  readonly some: (terms: readonly T[]) => T;
  readonly not: (term: T) => T;
}

export const permissions: Logic<Permission> = {
  any: { rule: { $case: 'any', value: true } },
  all: (rules) =>
    combine(rules, permissions.any, (list) => ({ rule: { $case: 'andRules', value: { rules: list } } })),
  some: (rules) =>
    combine(rules, permissions.not(permissions.any), (list) => ({
      rule: { $case: 'orRules', value: { rules: list } },
    })),
  not: (rule) => ({ rule: { $case: 'notRule', value: rule } }),
};

export const principals: Logic<Principal> = {
  any: { identifier: { $case: 'any', value: true } },
  all: (ids) =>
    combine(ids, principals.any, (list) => ({ identifier: { $case: 'andIds', value: { ids: list } } })),
  some: (ids) =>
    combine(ids, principals.not(principals.any), (list) => ({
      identifier: { $case: 'orIds', value: { ids: list } },
    })),
  not: (id) => ({ identifier: { $case: 'notId', value: id } }),
};

function combine<T>(terms: readonly T[], none: T, set: (terms: T[]) => T): T {
  const [first = none] = terms;
  return terms.length < 2 ? first : set([...terms]);
}

/** One attribute: any of `values`, if there are any, and none of `notValues`. */
export function attribute<T>(
  logic: Logic<T>,
  values: readonly string[],
  notValues: readonly string[],
  term: (value: string) => T,
): readonly T[] {
  return [
    ...(values.length > 0 ? [logic.some(values.map(term))] : []),
    ...(notValues.length > 0 ? [logic.not(logic.some(notValues.map(term)))] : []),
  ];
}
