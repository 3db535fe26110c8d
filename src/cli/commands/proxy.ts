import type { Proxy, ProxyResource } from '../../gen/citadel/v1/operator.ts';
import { formatTime, type OutputFormat, printRecord, printRows } from '../output.ts';

/** One line on what a resource's states mean together. */
export function resourceState({ wantedVersion, sentVersion, acceptedVersion, error }: ProxyResource): string {
  if (error !== '') return `refused: ${error}`;
  if (wantedVersion === '') return 'to be removed';
  if (acceptedVersion === wantedVersion) return 'current';
  if (sentVersion === wantedVersion) return acceptedVersion === '' ? 'sent' : 'sent; an earlier one accepted';
  // On-demand types are sent to who asks for them.
  return sentVersion === '' ? 'not asked for' : 'an earlier one sent';
}

/** What a proxy's configuration comes to, in a word. */
export function configurationState({ discovery }: Proxy): string {
  if (discovery.length === 0) return '-';
  if (discovery.some(({ failure }) => failure !== '')) return 'failed';
  const states = discovery.flatMap(({ resources }) => resources.map(resourceState));
  const refused = states.filter((state) => state.startsWith('refused')).length;
  if (refused > 0) return `refused ${refused}`;
  const pending = states.filter((state) => state !== 'current' && state !== 'not asked for').length;
  return pending > 0 ? `pending ${pending}` : 'current';
}

const columns = [
  { title: 'KEY', value: (row: Proxy) => row.key },
  { title: 'SPIFFE ID', value: (row: Proxy) => row.spiffeId },
  { title: 'CONNECTED', value: (row: Proxy) => (row.connected ? 'yes' : 'no') },
  { title: 'LAST SEEN', value: (row: Proxy) => formatTime(row.lastSeenAt) },
  { title: 'SVID', value: (row: Proxy) => row.svidSerial },
  { title: 'BUNDLE', value: (row: Proxy) => row.agentBundleVersion.slice(0, 16) },
  { title: 'CONFIGURATION', value: configurationState },
];

export function printProxies(proxies: readonly Proxy[], format: OutputFormat): void {
  printRows(proxies, columns, format);
}

const resourceColumns = [
  { title: 'TYPE', value: (row: ProxyResource) => row.type.split('.').at(-1) ?? '' },
  { title: 'NAME', value: (row: ProxyResource) => row.name },
  { title: 'VERSION', value: (row: ProxyResource) => row.wantedVersion.slice(0, 12) },
  { title: 'STATE', value: resourceState },
];

/** What differs comes first. */
export function printProxy(proxy: Proxy, format: OutputFormat): void {
  if (format !== 'table') return printRecord({ ...proxy }, format);
  const { discovery, ...head } = proxy;
  printRecord({ ...head, configuration: configurationState(proxy) }, format);
  for (const { workload, nodeId, connectedAt, failure, resources } of discovery) {
    process.stdout.write('\n');
    const failed = failure === '' ? {} : { failure };
    printRecord({ workload, node: nodeId, connectedAt: formatTime(connectedAt), ...failed }, format);
    const differs = (resource: ProxyResource) => (resourceState(resource) === 'current' ? 1 : 0);
    printRows(
      resources.toSorted((a, b) => differs(a) - differs(b)),
      resourceColumns,
      format,
    );
  }
}
