import { isNode } from './rewrite.ts';
import { filter, filters, type Mutation, policies, rendered } from './wrap.ts';

const without = (name: string, ...parts: ('rules' | 'shadowRules')[]): Mutation =>
  filter(name, () => Object.fromEntries(parts.map((part) => [part, undefined])));

/** Wrong in what is asked, in which order, and with what consequence. */
export const ofBoth: Readonly<Record<string, Mutation>> = {
  'no DENY': without('citadel.deny', 'rules', 'shadowRules'),
  'no ALLOW': without('citadel.allow', 'rules', 'shadowRules'),
  'no AUDIT': without('citadel.audit', 'rules', 'shadowRules'),
  'no denial for a provider that nobody has': without('citadel.custom_unavailable', 'rules', 'shadowRules'),
  'an ALLOW that denies': rendered((node) =>
    node['action'] === 0 && 'policies' in node ? { ...node, action: 1 } : node,
  ),
  'a DENY that allows': rendered((node) =>
    node['action'] === 1 && 'policies' in node ? { ...node, action: 0 } : node,
  ),
  'providers that are never asked': filters((all) => all.filter(({ kind }) => kind !== 'ext_authz')),
  'a dry run that is enforced': policies((policy) => ({ ...policy, dryRun: false })),
  'no rules that match everything': policies((policy) => ({
    ...policy,
    rules: policy.rules.length === 0 ? [{ from: [], to: [], when: [] }] : policy.rules,
  })),
  'the last rule left out': policies((policy) => ({ ...policy, rules: policy.rules.slice(0, -1) })),
  'rules counted from one': rendered((node) => {
    const { policies: named } = node;
    if (!isNode(named)) return node;
    const renamed = Object.entries(named).map(([id, rule]) => {
      return [id.replace(/rule\[(\d+)\]/, (_, at: string) => `rule[${Number(at) + 1}]`), rule] as const;
    });
    return { ...node, policies: Object.fromEntries(renamed) };
  }),
};

export const ofHttp: Readonly<Record<string, Mutation>> = {
  'no guard of what is ambiguous': without('citadel.path', 'rules'),
  'no dry run of DENY': without('citadel.deny', 'shadowRules'),
  'no dry run of CUSTOM': without('citadel.custom_unavailable', 'shadowRules'),
  'providers that are asked about everything': rendered((node) =>
    'filterEnabledMetadata' in node ? { ...node, filterEnabledMetadata: undefined } : node,
  ),
  'tokens read before providers are asked': filters((all) => [
    ...all.filter(({ kind }) => kind === 'jwt_authn'),
    ...all.filter(({ kind }) => kind !== 'jwt_authn'),
  ]),
};

export const ofTcp: Readonly<Record<string, Mutation>> = {
  'decisions that are not told': (right) => ({
    ...right,
    network: (...given) =>
      right
        .network(...given)
        .map((each) =>
          each.kind === 'rbac' && each.config.rules !== undefined
            ? { ...each, config: { ...each.config, shadowRules: undefined } }
            : each,
        ),
  }),
  'no dry run of ALLOW': without('citadel.dry_run.allow', 'shadowRules'),
};
