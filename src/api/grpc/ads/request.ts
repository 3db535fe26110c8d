import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import { CitadelError } from '../../../kernel/index.ts';
import type { DiscoveryLimits } from './limits.ts';

/** What both variants' requests say of a response of ours. */
interface Reply {
  readonly typeUrl: string;
  readonly nonce: string;
  /** A NACK's text; undefined for an ACK, and where nothing is answered. */
  readonly error: string | undefined;
}

export interface SotwRequest extends Reply {
  readonly variant: 'sotw';
  readonly names: readonly string[];
  /** The last version that the client accepted, of an earlier stream perhaps. */
  readonly version: string;
}

export interface DeltaRequest extends Reply {
  readonly variant: 'delta';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Version by name of what the client has from an earlier stream. */
  readonly initial: ReadonlyMap<string, string>;
}

export type Request = SotwRequest | DeltaRequest;

/** @throws CitadelError ResourceExhausted, InvalidArgument */
export function readSotwRequest(request: DiscoveryRequest, limits: DiscoveryLimits): SotwRequest {
  bounded(request.resourceNames, limits);
  return {
    variant: 'sotw',
    ...readReply(request, limits),
    names: request.resourceNames,
    version: request.versionInfo,
  };
}

/** @throws CitadelError ResourceExhausted, InvalidArgument */
export function readDeltaRequest(request: DeltaDiscoveryRequest, limits: DiscoveryLimits): DeltaRequest {
  const initial = Object.entries(request.initialResourceVersions);
  bounded(request.resourceNamesSubscribe, limits);
  bounded(request.resourceNamesUnsubscribe, limits);
  bounded(
    initial.map(([name, version]) => (name.length < version.length ? version : name)),
    limits,
  );
  return {
    variant: 'delta',
    ...readReply(request, limits),
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    initial: new Map(initial),
  };
}

function readReply(
  request: Pick<DiscoveryRequest, 'typeUrl' | 'responseNonce' | 'errorDetail'>,
  limits: DiscoveryLimits,
): Reply {
  const { typeUrl, responseNonce, errorDetail } = request;
  if (typeUrl === '' || typeUrl.length > limits.nameCharacters) {
    throw new CitadelError('InvalidArgument', 'a discovery request must name its type, and shortly');
  }
  // A NACK without a text is a NACK all the same.
  const error = errorDetail && (withoutDumps(errorDetail.message) || 'no reason given');
  return { typeUrl, nonce: responseNonce, error };
}

/**
 * Envoy puts the message that it refused, whole, into some of its texts, between `goo.gle/debug...` and a colon on a line
 * of its own: that is long, and may be a secret.
 */
function withoutDumps(text: string): string {
  return text.replace(/goo\.gle\/debug\w*\s[^]*?(?:\n: |$)/g, '').trim();
}

function bounded(names: readonly string[], { names: most, nameCharacters }: DiscoveryLimits): void {
  if (names.length > most) throw tooManyNames(most);
  if (names.some((name) => name.length > nameCharacters)) {
    throw new CitadelError(
      'ResourceExhausted',
      `a resource name may have ${nameCharacters} characters at most`,
    );
  }
}

export function tooManyNames(most: number): CitadelError {
  return new CitadelError(
    'ResourceExhausted',
    `a discovery stream may ask for ${most} resource names at most; subscribe to fewer, or to "*"`,
  );
}
