import {
  type LintWarning,
  lintPolicies,
  lintWithoutWorld,
  type PolicyWorld,
} from '../../domain/policy/index.ts';
import { explainLine, requestLine } from '../commands/policy-diff-text.ts';
import type { WorldOptions } from '../policy-world.ts';
import type { Side } from './sides.ts';

/** What is legal in files and surely not meant. @param world in which they hold; undefined: they are all that hold */
export function warningsOf(
  { policies, locate }: Side,
  world: PolicyWorld | undefined,
  { trustDomain, trustDomainAlias, rootNamespace }: WorldOptions,
): readonly LintWarning[] {
  if (world) return lintPolicies(world.policies, world, locate, { subjects: policies });
  const mesh = { trustDomain, trustDomainAliases: trustDomainAlias, rootNamespace };
  return lintWithoutWorld(policies, locate, { mesh, areAll: true });
}

/** A request that shows what a warning says. @param isWorldKnown whether `explain` can be asked about its workload */
export function warningExample({ witness }: LintWarning, isWorldKnown: boolean): string | undefined {
  if (!witness) return undefined;
  const explained = isWorldKnown ? explainLine(witness) : undefined;
  return `such as ${explained ?? requestLine(witness)}`;
}
