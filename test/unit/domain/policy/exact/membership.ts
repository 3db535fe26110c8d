import {
  type Alternative,
  type AuthorizationRule,
  type Constraint,
  decide,
  type PatternList,
  type PolicyRequest,
  type Region,
  type Verdict,
} from '../../../../../src/domain/policy/index.ts';
import { words } from '../../../../oracle/generate/index.ts';
import { policy } from '../decide/policies.ts';

/** Whether a request is in a region, by what each list of the region means where it is written in a policy. */
export function isInRegion(
  { constraints }: Region,
  request: PolicyRequest,
  providers: Readonly<Record<string, Verdict>>,
): boolean {
  return constraints.every((constraint) =>
    constraint.alternatives.some((alternative) => holds(alternative, constraint, request, providers)),
  );
}

function holds(
  { matches, except }: Alternative,
  { attribute }: Constraint,
  request: PolicyRequest,
  providers: Readonly<Record<string, Verdict>>,
): boolean {
  const of = (list: PatternList): boolean => {
    switch (list.field) {
      case 'present':
        if (attribute.kind === 'source') return request.sourcePrincipal !== undefined;
        if (attribute.kind === 'header')
          return matchesList(`request.headers[${attribute.name}]`, ['*'], request);
        throw new Error(`nothing is known of a present ${attribute.kind}`);
      case 'refuses':
        return attribute.kind === 'provider' && providers[attribute.name] === 'deny';
      case 'ambiguous':
        return isRefused(attribute.kind, request);
      default:
        return matchesList(list.field, list.patterns, request);
    }
  };
  return matches.every(of) && !except.some(of);
}

const contextOf = ({ http }: PolicyRequest) => ({
  trustDomain: words.trustDomain,
  trustDomainAliases: words.trustDomainAliases,
  tcp: http === undefined,
  customVerdicts: new Map<string, Verdict>(),
});

function matchesList(field: string, patterns: readonly string[], request: PolicyRequest): boolean {
  const inSource =
    /^(?:principals|namespaces|serviceAccounts|trustDomains|requestPrincipals|ipBlocks|remoteIpBlocks)$/;
  const inOperation = /^(?:paths|hosts|methods|ports)$/;
  const rule = inSource.test(field)
    ? { from: [{ [field]: patterns }] }
    : inOperation.test(field)
      ? { to: [{ [field]: patterns }] }
      : { when: [{ key: field, values: patterns }] };
  return matchesRule(policy('DENY', [rule]).rules, request);
}

/** By a dry run, which refuses nothing, so that it is also asked about what is refused as ambiguous. */
function matchesRule(rules: readonly AuthorizationRule[], request: PolicyRequest): boolean {
  const { dryRun } = decide([{ ...policy('DENY', []), dryRun: true, rules }], request, contextOf(request));
  return dryRun[0]?.by !== undefined;
}

function isRefused(part: string, request: PolicyRequest): boolean {
  const rule = part === 'path' ? { paths: ['*'] } : part === 'method' ? { methods: ['*'] } : { hosts: ['*'] };
  return decide([policy('AUDIT', [{ to: [rule] }])], request, contextOf(request)).step === 'PATH';
}
