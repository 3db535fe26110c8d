import {
  type Alternative,
  type Constraint,
  type Difference,
  type ExactDecision,
  type PatternList,
  type PortOf,
  policyKey,
  type RegionAttribute,
  readPolicies,
  type Undecided,
  type Witness,
  withPolicies,
} from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleChange, ConsoleConstraint, ConsoleDiff, ConsoleDifference } from '../../wire/console.ts';
import { type ConsolePolicyServices, worldOf } from './policies.ts';

const mostTold = 100;
const mostPlaces = 20;

/** What would be decided otherwise, of all requests there can be. @throws CitadelError as PolicyAnalysis does */
export async function diffChange(
  services: ConsolePolicyServices,
  analysis: PolicyAnalysis,
  { text, remove }: ConsoleChange,
  signal: AbortSignal,
): Promise<ConsoleDiff> {
  const reading = readPolicies(text, { source: 'editor' });
  if (reading.problems.length > 0)
    throw new CitadelError('InvalidArgument', 'the text has problems: mend them first');
  const before = worldOf(services);
  const gone = new Set(remove.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  const left = before.policies.filter(
    ({ kind, meta }) => !gone.has(policyKey({ kind, namespace: meta.namespace, name: meta.name })),
  );
  const after = withPolicies({ ...before, policies: left }, reading.policies);
  const { outcome, complete, differences, undecided } = await analysis.compare(before, after, { signal });
  return {
    outcome,
    complete: complete && differences.length <= mostTold,
    differences: differences.slice(0, mostTold).map(differenceToWire),
    undecided: undecided.slice(0, mostTold).map(undecidedText),
  };
}

function differenceToWire({
  becomes,
  places,
  region,
  witness,
  before,
  after,
}: Difference): ConsoleDifference {
  return {
    becomes,
    places: placesText(places),
    where: region.constraints.map(constraintToWire),
    witness: witnessText(witness),
    before: deciderText(before),
    after: deciderText(after),
  };
}

function placesText(places: readonly PortOf[]): readonly string[] {
  const named = places.slice(0, mostPlaces).map(({ workload, port }) => `${workload}:${port}`);
  return places.length > mostPlaces ? [...named, `and ${places.length - mostPlaces} others`] : named;
}

function constraintToWire({ attribute, alternatives, more }: Constraint): ConsoleConstraint {
  return { attribute: attributeText(attribute), alternatives: alternatives.map(alternativeText), more };
}

function attributeText(attribute: RegionAttribute): string {
  switch (attribute.kind) {
    case 'header':
      return `header ${attribute.name}`;
    case 'claim':
      return `claim ${attribute.path.join('.')}`;
    case 'metadata':
      return `metadata ${attribute.filter} ${attribute.name}`;
    case 'provider':
      return `authorizer ${attribute.name}`;
    case 'source':
    case 'method':
    case 'host':
    case 'path':
    case 'sni':
    case 'token':
    case 'sourceIp':
    case 'remoteIp':
    case 'destinationIp':
      return plainNames[attribute.kind];
  }
}

const plainNames = {
  source: 'caller',
  method: 'method',
  host: 'host',
  path: 'path',
  sni: 'server name in TLS',
  token: 'token',
  sourceIp: 'address of the connection',
  remoteIp: 'address of the client',
  destinationIp: 'address that is called',
} as const;

function alternativeText({ matches, except }: Alternative): string {
  const parts = [
    ...matches.map((list) => listText(list, '')),
    ...except.map((list) => listText(list, 'not ')),
  ];
  return parts.length === 0 ? 'any' : parts.join(', and ');
}

function listText({ field, patterns }: PatternList, negation: string): string {
  if (field === 'present') return negation === '' ? 'there' : 'absent';
  return `${negation}${field} ${patterns.join(' or ')}`;
}

function witnessText({ request, providers }: Witness): string {
  const { http, sourcePrincipal, sourceIp, destinationPort } = request;
  const call = http
    ? `${http.method} ${http.path} for ${http.host}`
    : `a connection to port ${destinationPort}`;
  const headers = Object.entries(http?.headers ?? {}).map(
    ([name, values]) => `${name}: ${values.join(', ')}`,
  );
  const answers = Object.entries(providers).map(([name, answer]) => `${name} says ${answer}`);
  const token = request.jwt === undefined ? [] : [`token ${JSON.stringify(request.jwt)}`];
  return [
    `${call} from ${sourcePrincipal ?? 'plaintext'} (${sourceIp})`,
    ...headers,
    ...token,
    ...answers,
  ].join('; ');
}

function deciderText({ verdict, step, by }: ExactDecision): string {
  const said = verdict === 'allow' ? 'allowed' : 'denied';
  if (by) return `${said} by ${by.namespace}/${by.name}, rule ${by.rule + 1}`;
  if (step === 'MTLS') return `${said} before any policy: mutual TLS`;
  if (step === 'TOKEN') return `${said} for its token`;
  if (step === 'ALLOW') return `${said}: no ALLOW matches`;
  return step === 'default' ? `${said}: no policy speaks of it` : `${said} by ${step}`;
}

function undecidedText({ policies, places, reason }: Undecided): string {
  const about = policies.length > 0 ? policies.join(', ') : placesText(places).join(', ');
  return `${about}: ${reason}`;
}
