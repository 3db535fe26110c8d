/** What an API server asks by an AdmissionReview of admission.k8s.io/v1, as far as it matters here. */
export interface AdmissionRequest {
  /** Comes back with the answer. */
  readonly uid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly group: string;
  readonly kind: string;
  readonly object: unknown;
}

export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not: a Status of meta/v1. */
  readonly status?: object;
  readonly warnings?: readonly string[];
}

const apiVersion = 'admission.k8s.io/v1';
const kind = 'AdmissionReview';
const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;
/** A UUID in practice. */
const longestUid = 128;

/**
 * Reads a request's body. Fields that are not known are passed over: later API servers may send more.
 * @returns what is wrong with it, where it is none
 */
export function readReview(body: Uint8Array): AdmissionRequest | string {
  const review = parse(body);
  if (!isFields(review)) return 'the body is no JSON object';
  if (review.apiVersion !== apiVersion || review.kind !== kind)
    return `the body is no ${kind} of ${apiVersion}`;
  const { request } = review;
  if (!isFields(request)) return 'request is missing: this is no question';
  const { uid, object, kind: asked } = request;
  if (typeof uid !== 'string' || uid === '' || uid.length > longestUid) return 'request.uid is missing';
  const operation = operations.find((each) => each === request.operation);
  if (operation === undefined) return `request.operation is none of ${operations.join(', ')}`;
  if (!isFields(asked) || typeof asked.group !== 'string' || typeof asked.kind !== 'string')
    return 'request.kind has no group and kind';
  if ((operation === 'CREATE' || operation === 'UPDATE') && !isFields(object))
    return 'request.object is missing';
  return { uid, operation, group: asked.group, kind: asked.kind, object };
}

export function formatReview(uid: string, answer: AdmissionAnswer): string {
  return JSON.stringify({ apiVersion, kind, response: { uid, ...answer } });
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
