import type { ErrorCode } from '../../kernel/index.ts';
import type { MeshSourceState } from './mesh-source.ts';
import type { RotationPhase } from './rotation-store.ts';

/** The parts of one issuance, each timed by itself. */
export type IssuanceStage = 'attest' | 'authorize' | 'request' | 'sign' | 'record' | 'total';

/** Why an issuance was not made; one word for each counter that istiod's dashboards know, and the rest. */
export type IssuanceFailure =
  | 'authentication'
  | 'authorization'
  | 'request'
  | 'identity'
  | 'signing'
  | 'store'
  | 'limit';

export type AuthorityMetricKind = 'root' | 'issuing';

/** What the domain tells the monitoring. Every call is cheap, synchronous and never throws. */
export interface Metrics {
  /** One request to issue arrived. */
  issuanceStarted(): void;
  issuanceStage(stage: IssuanceStage, milliseconds: number): void;
  issuanceSucceeded(): void;
  issuanceFailed(failure: IssuanceFailure, code: ErrorCode): void;
  /** The earliest end among the authorities of a kind that are in use. */
  authorityExpires(kind: AuthorityMetricKind, notAfter: Date): void;
  /** Of the one that ends first among the authorities of a kind that are in use. */
  authorityLife(kind: AuthorityMetricKind, notBefore: Date, notAfter: Date): void;
  /** How far the rotation of the root is that is under way; undefined: none is. */
  rotation(counts: RotationCounts | undefined): void;
  /** Writes waiting for their commit. */
  storeQueue(length: number): void;
  /** Open streams of a service, by its short name: `sync`, `ads-sotw`, `ads-delta`. */
  streams(service: string, open: number): void;
  /** Whether the home of a key answers: `disk`, `vault`, `vault-pki`. */
  keyHome(backend: string, available: boolean): void;
  operatorCall(method: string, code: ErrorCode | 'OK'): void;
  /** One response to a proxy, by its type's short name: `cds`. */
  discoveryPush(type: string, bytes: number): void;
  /** A proxy accepted, or refused, such a response, so long after it was sent. */
  discoveryAnswer(type: string, accepted: boolean, milliseconds: number): void;
  /** Entries of proxies' access logs that could not be read. */
  accessLogRefused(entries: number): void;
  /** The configuration of one proxy could not be made anew, or a change of the whole mesh not be taken in. */
  meshFailed(what: 'proxy' | 'mesh'): void;
  /** One look at where an issuer publishes its keys. */
  keySetFetched(succeeded: boolean, milliseconds: number): void;
  keySets(counts: KeySetCounts): void;
  /** What is to be asked, whenever somebody wants to know, for how the sources of the mesh are. */
  meshSources(states: () => readonly MeshSourceState[]): void;
  /** Asked whenever somebody reads them. */
  checkpoints(states: () => readonly CheckpointAge[]): void;
  enforcement(counts: EnforcementCounts): void;
  /** Agents that are told to make new keys, and how fast they follow. */
  reKeying(counts: ReKeyingCounts): void;
  /** So many were asked to renew later, since the server was busy. */
  renewalsPutOff(count: number): void;
}

/** A rotation of the root. */
export interface RotationCounts {
  readonly phase: RotationPhase;
  readonly since: Date;
  /** Live proxies by how far they are. */
  readonly standings: Readonly<Record<string, number>>;
  readonly stragglers: number;
  /** Waited for, and in need of an operator's word. */
  readonly unproven: number;
  /** Certificates that must end first. */
  readonly certificates: number;
  /** Whether the last try to go on failed. */
  readonly blocked: boolean;
}

/** The key sets that policies want fetched. */
export interface KeySetCounts {
  readonly current: number;
  /** With keys, of which the last look failed. */
  readonly stale: number;
  /** Without keys: their tokens are refused. */
  readonly missing: number;
  /** When the oldest keys were fetched. */
  readonly oldest: Date | undefined;
}

/** Orders to make workloads strict. */
export interface EnforcementCounts {
  readonly running: number;
  readonly halted: number;
  readonly done: number;
  /** Workloads that are strict by them. */
  readonly workloads: number;
}

/** How old what is sworn to in one place is. */
export interface CheckpointAge {
  readonly place: string;
  /** Of the last checkpoint; undefined where that is not known. */
  readonly at: Date | undefined;
  /** Since when entries wait to be sworn to; undefined: none do. */
  readonly waitingSince: Date | undefined;
}

/** Agents under tainted authorities that hold a stream to this server, by how far they are. */
export interface ReKeyingCounts {
  /** Not told yet: their turn has not come. */
  readonly waiting: number;
  /** Told, and not back with a new key yet. */
  readonly ordered: number;
  /** Back with a new key, since this process began. */
  readonly followed: number;
  /** How many of late, a second. */
  readonly perSecond: number;
  /** When the last of them will have followed, at this rate; undefined while nothing tells the rate. */
  readonly expectedEnd: Date | undefined;
}

export const noMetrics: Metrics = {
  issuanceStarted: () => {},
  issuanceStage: () => {},
  issuanceSucceeded: () => {},
  issuanceFailed: () => {},
  authorityExpires: () => {},
  authorityLife: () => {},
  rotation: () => {},
  storeQueue: () => {},
  streams: () => {},
  keyHome: () => {},
  operatorCall: () => {},
  discoveryPush: () => {},
  discoveryAnswer: () => {},
  accessLogRefused: () => {},
  meshFailed: () => {},
  keySetFetched: () => {},
  keySets: () => {},
  meshSources: () => {},
  checkpoints: () => {},
  enforcement: () => {},
  reKeying: () => {},
  renewalsPutOff: () => {},
};
