import { authoredObject } from '../../../domain/policy/index.ts';

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

/** What an author wrote, as in a file. */
export function slimPolicy(object: unknown, { kind }: PolicyCollection): Readonly<Record<string, unknown>> {
  return authoredObject(object, { apiVersion: `${group}/v1`, kind });
}
