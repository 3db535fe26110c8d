import {
  type Difference,
  decisionText,
  type PolicyWorld,
  placesText,
  policyKey,
  readPolicies,
  regionText,
  tokenText,
  type Undecided,
  type Witness,
  withPolicies,
} from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleChange, ConsoleDiff, ConsoleDifference } from '../../wire/console.ts';
import { type ConsolePolicyServices, worldOf } from './policies.ts';

const mostTold = 100;

/** What would be decided otherwise, of all requests there can be. @throws CitadelError as PolicyAnalysis does */
export async function diffChange(
  services: ConsolePolicyServices,
  analysis: PolicyAnalysis,
  change: ConsoleChange,
  signal: AbortSignal,
): Promise<ConsoleDiff> {
  const before = worldOf(services);
  const found = await analysis.compare(before, changed(before, change), signal);
  const { outcome, complete, differences, undecided } = found;
  return {
    outcome,
    complete: complete && differences.length <= mostTold,
    differences: differences.slice(0, mostTold).map(differenceToWire),
    undecided: undecided.slice(0, mostTold).map(undecidedText),
  };
}

/** The world as it would be. @throws CitadelError InvalidArgument for a text that is broken */
export function changed(before: PolicyWorld, { text, remove }: ConsoleChange): PolicyWorld {
  const reading = readPolicies(text, { source: 'editor' });
  if (reading.problems.length > 0)
    throw new CitadelError('InvalidArgument', 'the text has problems: mend them first');
  const gone = new Set(remove.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  const left = before.policies.filter(
    ({ kind, meta }) => !gone.has(policyKey({ kind, namespace: meta.namespace, name: meta.name })),
  );
  return withPolicies({ ...before, policies: left }, reading.policies);
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
    where: regionText(region),
    witness: witnessText(witness),
    before: decisionText(before),
    after: decisionText(after),
  };
}

function witnessText({ request, providers, token: sent }: Witness): string {
  const { http, sourcePrincipal, sourceIp, destinationPort } = request;
  const call = http
    ? `${http.method} ${http.path} for ${http.host}`
    : `a connection to port ${destinationPort}`;
  const headers = Object.entries(http?.headers ?? {}).map(
    ([name, values]) => `${name}: ${values.join(', ')}`,
  );
  const answers = Object.entries(providers).map(([name, answer]) => `${name} says ${answer}`);
  const taken = request.jwt === undefined ? [] : [`token ${JSON.stringify(request.jwt)}`];
  const token = sent === undefined ? taken : [`token ${tokenText(sent)}`];
  return [
    `${call} from ${sourcePrincipal ?? 'plaintext'} (${sourceIp})`,
    ...headers,
    ...token,
    ...answers,
  ].join('; ');
}

function undecidedText({ policies, places, reason }: Undecided): string {
  return `${policies.length > 0 ? policies.join(', ') : placesText(places)}: ${reason}`;
}
