import type { Policy, PolicyKind } from '../model.ts';

/** Which object: there is one of a kind and name in a namespace. */
export interface PolicyIdentity {
  readonly kind: PolicyKind;
  readonly namespace: string;
  readonly name: string;
}

/** `AuthorizationPolicy/shop/web`. */
export function policyKey({ kind, namespace, name }: Readonly<Record<keyof PolicyIdentity, string>>): string {
  return `${kind}/${namespace}/${name}`;
}

export function policyIdentity({ kind, meta: { namespace, name } }: Policy): PolicyIdentity {
  return { kind, namespace, name };
}

export function policyKeyOf(policy: Policy): string {
  return policyKey(policyIdentity(policy));
}

/** One thing wrong with a policy: where, what, and what mends it. */
export interface PolicyProblem {
  readonly source: string;
  /** From 1; absent where the source has no text. */
  readonly line?: number;
  readonly column?: number;
  /** Absent where it cannot be told whose problem it is. */
  readonly object?: PolicyIdentity;
  /** As in `spec.rules[0].from[0].source.principals[0]`; empty for the object itself. */
  readonly path: string;
  readonly message: string;
  readonly mend?: string;
}

/** What is said where the object is known: `PATH: MESSAGE; MEND`. */
export function describePolicyProblem({ path, message, mend }: PolicyProblem): string {
  return `${path === '' ? '' : `${path}: `}${message}${mend === undefined ? '' : `; ${mend}`}`;
}

/** One line: `SOURCE:LINE:COLUMN: OBJECT: PATH: MESSAGE; MEND`. */
export function formatPolicyProblem(problem: PolicyProblem): string {
  const { source, line, column = 1, object, path, message, mend } = problem;
  const parts = [
    line === undefined ? source : `${source}:${line}:${column}`,
    ...(object ? [policyKey(object)] : []),
    ...(path === '' ? [] : [path]),
    message,
  ];
  return `${parts.join(': ')}${mend === undefined ? '' : `; ${mend}`}`;
}
