import {
  type Difference,
  decisionText,
  type MarkDifference,
  markText,
  placesText,
  regionText,
  tokenText,
  type Undecided,
  type WorldComparison,
} from '../../domain/policy/index.ts';
import { printable } from '../output.ts';

/** What a person is told of a comparison. @param registry whether it is known which workloads there are */
export function comparisonText(found: WorldComparison, registry: boolean): string {
  const { differences, undecided, complete, proof } = found;
  const of = (becomes: Difference['becomes']) => differences.filter((each) => each.becomes === becomes);
  const lines = [
    ...section('Becomes allowed', of('allowed'), registry),
    ...section('Becomes denied', of('denied'), registry),
    ...markTitles.flatMap((title) =>
      markSection(
        title,
        found.marks.differences.filter((each) => markTitle(each) === title),
        registry,
      ),
    ),
    ...undecided.flatMap(undecidedLines),
  ];
  if (found.outcome === 'same')
    lines.push(
      'No change: whatever is asked is decided as before.',
      `Proven: of ${counted(proof.groups, 'group')} of ports that are decided alike, ${proof.identical} are under policies that say the same; for ${proof.searched} all that can arrive was searched.`,
    );
  else if (!complete) lines.push('There is more that changes than is told here.');
  if (!found.marks.complete && complete)
    lines.push('There may be more that is audited, or that dry runs match, otherwise than before.');
  lines.push(...found.tokensUnread.map((each) => `${tokensUnreadText(each)}.`));
  if (proof.unpaired > 0)
    lines.push(`Not compared: ${counted(proof.unpaired, 'workload')} of one side alone.`);
  if (proof.unpairedPorts > 0)
    lines.push(`Not compared: ${counted(proof.unpairedPorts, 'port')} that a proxy takes on one side alone.`);
  if (proof.unenforced > 0)
    lines.push(`Nothing is enforced at ${counted(proof.unenforced, 'port')} of workloads without a proxy.`);
  if (!registry)
    lines.push(
      'Without --world, --registry or a server it is not known which workloads there are: each namespace and selector that a policy names was taken for one.',
    );
  return `${lines.map(printable).join('\n')}\n`;
}

const markTitles = [
  'Becomes audited',
  'No longer audited',
  'A dry run begins to match',
  'A dry run no longer matches',
] as const;

/** What has become of what policies mark that decide nothing. */
export function markTitle({ becomes, mark }: MarkDifference): (typeof markTitles)[number] {
  const [begins, ends] = mark.dryRun
    ? (['A dry run begins to match', 'A dry run no longer matches'] as const)
    : (['Becomes audited', 'No longer audited'] as const);
  return becomes === 'marked' ? begins : ends;
}

/** Without the point at its end. */
export function tokensUnreadText({ places, policies }: WorldComparison['tokensUnread'][number]): string {
  return `No RequestAuthentication holds for ${placesText(places)}: no token is looked at there, and what ${policies.join(', ')} asks of one is asked in vain`;
}

function section(title: string, differences: readonly Difference[], registry: boolean): readonly string[] {
  if (differences.length === 0) return [];
  return [
    `${title}:`,
    ...differences.flatMap((each) => [
      `  ${regionText(each.region)}${arrivalText(each)}`,
      `    to      ${placesText(each.places)}`,
      `    before  ${decisionText(each.before)}`,
      `    after   ${decisionText(each.after)}`,
      `    ${exampleLine(each, registry)}`,
    ]),
    '',
  ];
}

/** Nothing hangs on these: they are told apart, and are no change of what is decided. */
function markSection(
  title: string,
  differences: readonly MarkDifference[],
  registry: boolean,
): readonly string[] {
  if (differences.length === 0) return [];
  return [
    `${title}, which decides nothing:`,
    ...differences.flatMap((each) => [
      `  ${regionText(each.region)}${arrivalText(each)}`,
      `    to      ${placesText(each.places)}`,
      `    ${each.becomes === 'marked' ? 'after ' : 'before'}  ${markText(each)}`,
      `    ${exampleLine(each, registry)}`,
    ]),
    '',
  ];
}

type Shown = Pick<Difference, 'readAs' | 'witness' | 'places'>;
type Told = Shown & Pick<Difference, 'protocol'>;

/** What it is that is decided otherwise, where it is not a request as before. */
export function arrivalText({ protocol, readAs }: Told): string {
  if (readAs === undefined) return protocol === 'tcp' ? ' (a connection, not read as HTTP)' : '';
  if (protocol === 'tcp') return ' (a connection that carries no request)';
  return ` (a request, of which ${readAs.before === 'tcp' ? 'before' : 'after'} the connection alone is seen)`;
}

function exampleLine(difference: Told, registry: boolean): string {
  const explained = registry ? explainLine(difference) : undefined;
  return explained === undefined ? `such as ${requestLine(difference)}` : `as      ${explained}`;
}

function undecidedLines({ places, policies, reason }: Undecided): readonly string[] {
  return [
    `Cannot be told for ${placesText(places)}: ${reason}${policies.length > 0 ? ` (${policies.join(', ')})` : ''}.`,
  ];
}

/**
 * The witness as a command that says why it is decided so; undefined where it brings a token, which that command takes to be
 * well signed, and in its place, or where its port is not read alike.
 */
export function explainLine({ witness, places, readAs }: Shown): string | undefined {
  const { request, providers, token } = witness;
  if (token || readAs) return undefined;
  const [place] = places;
  const options: readonly (readonly [name: string, value: string | undefined])[] = [
    ['from', request.sourcePrincipal ?? 'plaintext'],
    ['to', place && `${place.workload}:${request.destinationPort}`],
    ...requestOptions(witness),
    ...Object.entries(providers).map(([name, verdict]) => ['custom', `${name}=${verdict}`] as const),
  ];
  const given = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${quoted(value)}`],
  );
  return ['citadel policy explain', ...given, '--complete'].join(' ');
}

function requestOptions({
  request,
}: Told['witness']): readonly (readonly [name: string, value: string | undefined])[] {
  const { http, jwt, sourceIp, remoteIp, destinationIp, sni } = request;
  return [
    ['method', http?.method],
    ['path', http?.path],
    ['host', http?.host],
    ...Object.entries(http?.headers ?? {}).flatMap(([name, values]) =>
      values.map((value) => ['header', `${name}=${value}`] as const),
    ),
    ['jwt', jwt && JSON.stringify(jwt)],
    ['ip', sourceIp],
    ['remote-ip', remoteIp === sourceIp ? undefined : remoteIp],
    ['destination-ip', destinationIp],
    ['sni', sni],
  ];
}

/** The witness where nobody can be asked about it. */
export function requestLine({ witness }: Pick<Shown, 'witness'>): string {
  const { request, providers, ofConnection = {}, token } = witness;
  const options = requestOptions(witness).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${quoted(value)}`],
  );
  const answers = Object.entries(providers).map(([name, verdict]) => `authorizer ${name} says ${verdict}`);
  return [
    `from ${request.sourcePrincipal ?? 'plaintext'}`,
    `port ${request.destinationPort}`,
    ...options,
    ...(token ? [`token ${tokenText(token)}`] : []),
    ...answers,
    ...Object.entries(ofConnection).map(
      ([name, verdict]) => `authorizer ${name} says ${verdict} of the connection`,
    ),
  ].join(', ');
}

function quoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
