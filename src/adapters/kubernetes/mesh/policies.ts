import { field, text } from '../api/index.ts';

const group = 'security.istio.io';
/** The same objects in both; clusters with older definitions serve only the second. */
const versions = ['v1', 'v1beta1'];

export interface PolicyCollection {
  readonly what: string;
  readonly kind: string;
  readonly paths: readonly string[];
}

const collection = (kind: string, what: string): PolicyCollection => ({
  what,
  kind,
  paths: versions.map((version) => `/apis/${group}/${version}/${what}`),
});

export const policyCollections: readonly PolicyCollection[] = [
  collection('AuthorizationPolicy', 'authorizationpolicies'),
  collection('PeerAuthentication', 'peerauthentications'),
  collection('RequestAuthentication', 'requestauthentications'),
];

/** What an author wrote, as in a file: without the server's own bookkeeping, which is longer than most policies. */
export function slimPolicy(object: unknown, { kind }: PolicyCollection): Readonly<Record<string, unknown>> {
  const annotations = field(object, 'metadata', 'annotations');
  const own =
    typeof annotations === 'object' && annotations !== null
      ? Object.fromEntries(
          Object.entries(annotations).filter(([name]) => !name.startsWith('kubectl.kubernetes.io/')),
        )
      : undefined;
  const metadata = {
    namespace: text(object, 'metadata', 'namespace'),
    name: text(object, 'metadata', 'name'),
    generation: field(object, 'metadata', 'generation'),
    // The order of policies hangs on it.
    creationTimestamp: field(object, 'metadata', 'creationTimestamp'),
    labels: field(object, 'metadata', 'labels'),
    annotations: own,
  };
  return {
    // Items of a list name neither of both in some answers.
    apiVersion: text(object, 'apiVersion') ?? `${group}/v1`,
    kind: text(object, 'kind') ?? kind,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    spec: field(object, 'spec') ?? {},
  };
}
