import type { Policy, PolicyWorld, WorldComparison } from '../../../../../src/domain/policy/index.ts';
import { compareWorlds } from '../../../../../src/domain/policy/index.ts';
import { mesh, policy, ports, workload } from '../mesh.ts';

/** A workload `shop/cart` with a port of each kind, 8080 for HTTP and 9000 for bytes. */
const cart = workload('shop/cart', { ports: ports([8080, 'http'], [9000, 'tcp']) });

export interface Given {
  readonly providers?: readonly string[];
  readonly aliases?: readonly string[];
  readonly http?: boolean;
}

export function worldOf(
  policies: readonly Policy[],
  { providers = [], aliases = [] }: Given = {},
): PolicyWorld {
  const world = mesh([cart], policies, [], { trustDomainAliases: aliases });
  return {
    ...world,
    settings: { ...world.settings, authorizationProviders: providers.map((name) => ({ name })) },
  };
}

export type Rule = Readonly<Record<string, unknown>>;

/** A policy of `shop` for all of its workloads. */
export function authorization(action: string, rules: readonly Rule[], more: Rule = {}): Policy {
  const { name = action.toLowerCase(), ...rest } = more;
  return policy(`shop/${String(name)}`, { action, rules, ...rest });
}

export const allow = (...rules: readonly Rule[]) => authorization('ALLOW', rules);
export const deny = (...rules: readonly Rule[]) => authorization('DENY', rules);
export const from = (source: Rule): Rule => ({ from: [{ source }] });
export const to = (operation: Rule): Rule => ({ to: [{ operation }] });
export const when = (key: string, ...values: string[]): Rule => ({ when: [{ key, values }] });
export const unless = (key: string, ...notValues: string[]): Rule => ({ when: [{ key, notValues }] });

/** Of the port for HTTP; the one for bytes is left aside. */
export function compareHttp(
  before: readonly Policy[],
  after: readonly Policy[],
  given: Given = {},
): WorldComparison & { readonly changes: readonly string[] } {
  const found = compareWorlds(worldOf(before, given), worldOf(after, given));
  const differences = found.differences.filter(({ protocol }) => protocol === 'http');
  return {
    ...found,
    differences,
    changes: [...new Set(differences.map(({ becomes }) => becomes))].toSorted(),
  };
}
