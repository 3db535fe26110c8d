import type { Policy } from '../../model.ts';
import type { PolicyLocator } from '../../read/index.ts';
import { enforcedMode, type PortMode, portModeOf } from '../../select.ts';
import type { PolicyWorld } from '../../world/index.ts';
import type { PolicyReference } from '../model.ts';
import { referenceOf } from '../rule.ts';
import type { Callee } from './callee.ts';
import type { Caller } from './caller.ts';

/** Why a call goes the way it does. */
export type TransportReason =
  /** No proxy stands beside the callee: nothing ends mutual TLS there, and no policy is asked. */
  | 'callee-without-proxy'
  /** The caller has no certificate, or was said to speak plaintext. */
  | 'caller-is-plaintext'
  /** The caller's workloads have no proxy that would use the certificate. */
  | 'caller-without-proxy'
  /** DISABLE: callers with a proxy speak plaintext there too, and show no identity. */
  | 'disabled'
  /** The callee's port is behind no service, so that no caller's proxy knows who is there. */
  | 'callee-behind-no-service'
  /** Both have a proxy. */
  | 'both-have-a-proxy'
  /** The caller is in no registry: its certificate is all that is known, and needs mutual TLS to be shown. */
  | 'caller-unknown'
  /** It was said to be mutual TLS. */
  | 'as-said';

/** Whether a call is plaintext or mutual TLS, whether the port takes that, and what says so. */
export interface TransportFinding {
  readonly kind: 'plaintext' | 'mtls';
  readonly reason: TransportReason;
  /** `unjudged`: no proxy is there to refuse it. */
  readonly outcome: 'passes' | 'refused' | 'unjudged';
  readonly mode: PortMode['mode'];
  /** `operator`: an order of mutual TLS raised PERMISSIVE. */
  readonly modeBy: 'policy' | 'operator' | 'default';
  readonly policy?: PolicyReference;
  /** What of it says so: `spec.mtls.mode`, `spec.portLevelMtls.8080.mode`. */
  readonly path?: string;
  /** Callers of this identity that have no proxy, where others have one. */
  readonly withoutProxy: readonly string[];
}

export interface TransportQuestion {
  readonly world: PolicyWorld;
  readonly caller: Caller;
  readonly callee: Callee;
  /** All that hold for the callee. */
  readonly policies: readonly Policy[];
  /** What is said of the call, in the place of what the registry tells. */
  readonly said: TransportFinding['kind'] | undefined;
  readonly locate: PolicyLocator;
}

export function transportOf(question: TransportQuestion): TransportFinding {
  const { world, caller, callee, policies } = question;
  const wanted = portModeOf(policies, callee.port);
  const mode = enforcedMode(wanted.mode, world.strict.has(callee.workload.id));
  const { kind, reason } = kindOf(question, mode);
  const withoutProxy = caller.workloads.filter(({ proxy }) => proxy === 'none').map(({ id }) => id);
  return {
    kind,
    reason,
    outcome: outcomeOf(callee, kind, mode),
    mode,
    modeBy: mode === wanted.mode ? (wanted.policy ? 'policy' : 'default') : 'operator',
    ...(wanted.policy && { policy: referenceOf(wanted.policy), path: pathOf(wanted, callee.port) }),
    withoutProxy: withoutProxy.length < caller.workloads.length ? withoutProxy : [],
  };
}

function kindOf(
  { world, caller, callee, said }: TransportQuestion,
  mode: PortMode['mode'],
): Pick<TransportFinding, 'kind' | 'reason'> {
  if (callee.workload.proxy === 'none') return { kind: 'plaintext', reason: 'callee-without-proxy' };
  if (caller.identity === undefined || said === 'plaintext')
    return { kind: 'plaintext', reason: 'caller-is-plaintext' };
  if (said === 'mtls') return { kind: 'mtls', reason: 'as-said' };
  const { workloads } = caller;
  if (workloads.length > 0 && workloads.every(({ proxy }) => proxy === 'none'))
    return { kind: 'plaintext', reason: 'caller-without-proxy' };
  if (mode === 'DISABLE') return { kind: 'plaintext', reason: 'disabled' };
  if (workloads.length === 0) return { kind: 'mtls', reason: 'caller-unknown' };
  return isBehindService(world, callee)
    ? { kind: 'mtls', reason: 'both-have-a-proxy' }
    : { kind: 'plaintext', reason: 'callee-behind-no-service' };
}

function isBehindService({ services }: PolicyWorld, { workload, port }: Callee): boolean {
  return [...services.values()].some(({ ports }) =>
    ports.some(({ endpoints }) =>
      endpoints.some((each) => each.workload === workload.id && each.port === port),
    ),
  );
}

function outcomeOf(
  { workload }: Callee,
  kind: TransportFinding['kind'],
  mode: PortMode['mode'],
): TransportFinding['outcome'] {
  if (workload.proxy === 'none') return 'unjudged';
  if (kind === 'plaintext') return mode === 'STRICT' ? 'refused' : 'passes';
  // What is not ended here is passed to the application as bytes, which is no call of this identity.
  return mode === 'DISABLE' ? 'refused' : 'passes';
}

function pathOf({ ofPort }: PortMode, port: number): string {
  return ofPort ? `spec.portLevelMtls["${port}"].mode` : 'spec.mtls.mode';
}
