import {
  type Difference,
  decisionText,
  placesText,
  regionText,
  tokenText,
  type Undecided,
  type Witness,
  type WorldComparison,
} from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import type { ConsoleChange, ConsoleDiff, ConsoleDifference } from '../../wire/console.ts';
import { type ChangedWorldServices, changedWorld } from './changed-world.ts';

const mostTold = 100;

/** What would be decided otherwise, of all requests there can be. @throws CitadelError as PolicyAnalysis does */
export async function diffChange(
  services: ChangedWorldServices,
  analysis: PolicyAnalysis,
  change: ConsoleChange,
  signal: AbortSignal,
): Promise<ConsoleDiff> {
  const { before, after } = await changedWorld(services, change);
  return comparisonToWire(await analysis.compare(before, after, signal));
}

export function comparisonToWire(found: WorldComparison): ConsoleDiff {
  const { outcome, complete, differences, undecided } = found;
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
