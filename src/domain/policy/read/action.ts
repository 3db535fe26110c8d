import type { z } from 'zod';
import { mend } from '../../../yaml/index.ts';
import type { AuthorizationAction } from '../model.ts';

type Maybe<T> = T | undefined;

interface RuleParts {
  readonly from?: Maybe<readonly { readonly source: Readonly<Partial<Record<string, unknown>>> }[]>;
  readonly when?: Maybe<readonly { readonly key: string }[]>;
}

interface ActionParts {
  readonly action?: Maybe<AuthorizationAction>;
  readonly provider?: unknown;
  readonly rules?: Maybe<readonly RuleParts[]>;
}

/** What an action asks of the rest of a policy. */
export function checkAction(spec: ActionParts, context: z.RefinementCtx): void {
  const { action = 'ALLOW', provider, rules = [] } = spec;
  if (action === 'CUSTOM' && provider === undefined)
    context.addIssue({
      code: 'custom',
      path: ['provider'],
      message: 'the action CUSTOM needs provider.name',
      ...mend('name one of the authorization providers of the mesh’s settings'),
    });
  if (action !== 'CUSTOM' && provider !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['provider'],
      message: `only the action CUSTOM takes a provider, not ${action}`,
      ...mend('leave it out, or set action: CUSTOM'),
    });
  if ((action === 'CUSTOM' || action === 'DENY') && rules.length === 0)
    context.addIssue({
      code: 'custom',
      path: ['rules'],
      message: `${action} without a rule never applies`,
      ...mend('write rules: [{}], if every request is meant'),
    });
  if (action === 'CUSTOM') {
    for (const [index, each] of rules.entries()) refuseIdentities(each, ['rules', index], context);
  }
}

const identityLists = [
  'principals',
  'notPrincipals',
  'requestPrincipals',
  'notRequestPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const;

const identityKey = /^(?:source\.(?:namespace|serviceAccount|principal|trustDomain)$|request\.auth\.)/;

/** Who calls is not known yet when it is decided whether an authorizer outside is asked. */
function refuseIdentities(
  each: RuleParts,
  path: readonly (string | number)[],
  context: z.RefinementCtx,
): void {
  const refuse = (at: readonly (string | number)[], name: string) =>
    context.addIssue({
      code: 'custom',
      path: [...path, ...at],
      message: `${name} cannot be matched with the action CUSTOM`,
      ...mend('the provider is told who calls: leave it to decide, or deny in a policy of its own'),
    });
  for (const [index, { source: given }] of (each.from ?? []).entries()) {
    for (const name of identityLists)
      if (given[name] !== undefined) refuse(['from', index, 'source', name], name);
  }
  for (const [index, { key }] of (each.when ?? []).entries()) {
    if (identityKey.test(key)) refuse(['when', index, 'key'], key);
  }
}
