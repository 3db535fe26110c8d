import type { YamlCursor } from '../../../yaml/index.ts';
import { conditionKeys, policyKinds } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { documentOf, valueAt } from './document.ts';

interface Known {
  readonly world: PolicyWorld | undefined;
  readonly workloads: readonly NamedWorkload[];
  /** Of the document. */
  readonly namespace: string | undefined;
  readonly cursor: YamlCursor;
}

type NamedWorkload = PolicyWorld['workloads'] extends ReadonlyMap<string, infer W> ? W : never;

/** Names that may stand at a place: those of the language that no schema spells, and of what is there. */
export function namesAt(
  kind: string | undefined,
  cursor: YamlCursor,
  world: PolicyWorld | undefined,
): readonly string[] {
  const path = cursor.path.filter((part) => typeof part === 'string').join('.');
  const { namespace } = documentOf(cursor.document);
  const known: Known = { world, workloads: [...(world?.workloads.values() ?? [])], namespace, cursor };
  const table = kind === 'PolicyTest' ? ofTests : ofPolicies;
  const found = table[normal(path, cursor)]?.(known) ?? [];
  return [...new Set(found)].toSorted();
}

/** A list and its opposite take the same names; a key that may be any is `*`. */
function normal(path: string, { role }: YamlCursor): string {
  const same = path.replace(
    /\.not([A-Z])(\w*)$/,
    (_, first: string, rest: string) => `.${first.toLowerCase()}${rest}`,
  );
  return role === 'value' ? same.replace(/\.matchLabels\..+$/, '.matchLabels.*') : `${same}:`;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const namespaces = ({ workloads }: Known) => workloads.map((each) => each.namespace);

const trustDomains = ({ world }: Known) =>
  world ? [world.settings.trustDomain, ...world.settings.trustDomainAliases] : [];

const principals = ({ world, workloads }: Known) =>
  workloads.map((each) => `${world?.settings.trustDomain}/ns/${each.namespace}/sa/${each.serviceAccount}`);

/** Of the policy's own namespace by the name alone. */
const serviceAccounts = ({ workloads, namespace }: Known) =>
  workloads.map((each) =>
    each.namespace === namespace ? each.serviceAccount : `${each.namespace}/${each.serviceAccount}`,
  );

const hosts = ({ world }: Known) => [...(world?.services.values() ?? [])].flatMap((each) => each.hosts);
const providers = ({ world }: Known) => world?.settings.authorizationProviders.map(({ name }) => name) ?? [];
const own = ({ workloads, namespace }: Known) => workloads.filter((each) => each.namespace === namespace);
const ports = (known: Known) => own(known).flatMap((each) => each.ports.map(({ port }) => String(port)));

function values({ cursor, ...known }: Known): readonly string[] {
  const key = valueAt(cursor.document, [...cursor.path.slice(0, -2), 'key']);
  const of: Readonly<Record<string, (known: Known) => readonly string[]>> = {
    'source.namespace': namespaces,
    'source.principal': principals,
    'source.serviceAccount': serviceAccounts,
    'source.trustDomain': trustDomains,
    'destination.port': ports,
  };
  return typeof key === 'string' && Object.hasOwn(of, key) ? (of[key]?.({ ...known, cursor }) ?? []) : [];
}

type Table = Readonly<Record<string, (known: Known) => readonly string[]>>;

const source = 'spec.rules.from.source';
const operation = 'spec.rules.to.operation';

const ofPolicies: Table = {
  kind: () => [...policyKinds, 'PolicyTest'],
  'metadata.namespace': namespaces,
  'spec.selector.matchLabels:': (known) => own(known).flatMap(({ labels }) => Object.keys(labels)),
  'spec.selector.matchLabels.*': (known) => {
    const key = String(known.cursor.path.at(-1));
    return own(known).flatMap(({ labels }) => labels[key] ?? []);
  },
  'spec.portLevelMtls:': ports,
  'spec.targetRefs.name': ({ world, namespace }) =>
    [...(world?.services.values() ?? [])].flatMap((each) => (each.namespace === namespace ? each.name : [])),
  'spec.provider.name': providers,
  [`${source}.principals`]: principals,
  [`${source}.namespaces`]: namespaces,
  [`${source}.serviceAccounts`]: serviceAccounts,
  [`${source}.trustDomains`]: trustDomains,
  [`${operation}.hosts`]: hosts,
  [`${operation}.ports`]: ports,
  [`${operation}.methods`]: () => methods,
  'spec.rules.when.key': () => [
    ...conditionKeys.whole,
    ...conditionKeys.named.map((name) => `${name}[NAME]`),
    'experimental.envoy.filters.FILTER[NAME]',
  ],
  'spec.rules.when.values': values,
};

const callers = ({ workloads }: Known) => [
  'plaintext',
  ...workloads.map((each) => `${each.namespace}/${each.serviceAccount}`),
];

const callees = ({ workloads, world }: Known) => [
  ...workloads.flatMap((each) => each.ports.map(({ port }) => `${each.namespace}/${each.name}:${port}`)),
  ...[...(world?.services.values() ?? [])].flatMap((each) =>
    each.ports.map(({ port }) => `${each.id}:${port}`),
  ),
];

const ofTests: Table = {
  kind: () => [...policyKinds, 'PolicyTest'],
  'metadata.namespace': namespaces,
  ...Object.fromEntries(
    ['spec.defaults', 'spec.cases'].flatMap((at) => [
      [`${at}.from`, callers],
      [`${at}.to`, callees],
      [`${at}.host`, hosts],
      [`${at}.method`, () => methods],
    ]),
  ),
};
