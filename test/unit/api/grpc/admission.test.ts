import {
  Metadata,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
  status,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAdmission } from '../../../../src/api/grpc/admission.ts';
import type { Refusal } from '../../../../src/api/listen/index.ts';

const path = '/istio.v1.auth.IstioCertificateService/CreateCertificate';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Ended = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

let now = 0;
let refusals: Refusal[] = [];
beforeEach(() => {
  now = 0;
  refusals = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const admissionOf = (callsPerSecondPerPeer = 100) =>
  createAdmission({
    callsPerSecondPerPeer,
    requestTimeout: 1000,
    onRefused: (refusal) => refusals.push(refusal),
    now: () => now,
  });
type Admission = ReturnType<typeof admissionOf>;

/** What reached the service, and what was answered; `network` is what comes in from the caller. */
interface Call {
  readonly network: Listener;
  readonly seen: string[];
  readonly statuses: Ended[];
  /** Ends the call as its service does. */
  end(code: status): void;
}

/** A call as grpc-js begins it: the parts that a whole server has on either side of the interceptor are played. */
function begin(admission: Admission, { peer = '192.0.2.1', requestStream = false } = {}): Call {
  const statuses: Ended[] = [];
  const seen: string[] = [];
  let network: Listener | undefined;
  const below: ServerInterceptingCallInterface = {
    start: (listener) => {
      network = listener;
    },
    sendMetadata: () => undefined,
    sendMessage: (_message, sent) => sent(),
    sendStatus: (ended) => {
      statuses.push(ended);
    },
    startRead: () => undefined,
    getPeer: () => `${peer}:1`,
    getDeadline: () => Number.POSITIVE_INFINITY,
    getHost: () => 'localhost',
    getAuthContext: () => ({}),
    getConnectionInfo: () => ({ remoteAddress: peer }),
    getMetricsRecorder: () => {
      throw new Error('not asked for');
    },
  };
  const method: ServerMethodDefinition<unknown, unknown> = {
    path,
    requestStream,
    responseStream: false,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: () => Buffer.alloc(0),
  };
  const call = admission.interceptor(method, below);
  call.start({
    onReceiveMetadata: () => seen.push('metadata'),
    onReceiveMessage: () => seen.push('message'),
    onReceiveHalfClose: () => seen.push('half-close'),
    onCancel: () => seen.push('cancel'),
  });
  if (!network) throw new Error('the call was not started');
  return { network, seen, statuses, end: (code) => call.sendStatus({ code, details: '' }) };
}

function arrive({ network }: Call): void {
  network.onReceiveMetadata(new Metadata());
  network.onReceiveMessage(Buffer.from('request'));
  network.onReceiveHalfClose();
}

describe('admission', () => {
  it('lets a call through, and forgets it', () => {
    const call = begin(admissionOf());
    arrive(call);
    expect(call.seen).toEqual(['metadata', 'message', 'half-close']);
    call.end(status.OK);
    call.network.onCancel();
    vi.advanceTimersByTime(5000);
    expect(call.statuses).toMatchObject([{ code: status.OK }]);
    expect(refusals).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('refuses calls of one address above its rate, before a service sees them, and no others', () => {
    const admission = admissionOf(2);
    const calls = ['a', 'a', 'a', 'b'].map((peer) => begin(admission, { peer }));
    for (const call of calls) arrive(call);
    expect(calls.map(({ seen }) => seen.length)).toEqual([3, 3, 0, 3]);
    expect(calls.map(({ statuses }) => statuses[0]?.code)).toEqual([
      undefined,
      undefined,
      status.RESOURCE_EXHAUSTED,
      undefined,
    ]);
    calls[2]?.network.onCancel();
    expect(refusals).toEqual([{ kind: 'rate', peer: 'a', method: path, notable: true }]);

    now = 500;
    const later = begin(admission, { peer: 'a' });
    arrive(later);
    expect(later.seen).toHaveLength(3);
  });

  it('lets one call a second and address through where less than one is allowed', () => {
    const admission = admissionOf(0.5);
    const pass = () => {
      const call = begin(admission);
      arrive(call);
      return call.seen.length > 0;
    };
    expect([pass(), pass()]).toEqual([true, false]);
    now = 2000;
    expect(pass()).toBe(true);
  });

  it('ends a call whose request does not come in time', () => {
    const call = begin(admissionOf());
    call.network.onReceiveMetadata(new Metadata());
    vi.advanceTimersByTime(999);
    expect(call.statuses).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(call.statuses).toMatchObject([{ code: status.DEADLINE_EXCEEDED }]);
    // grpc-js tells the end of every stream as a cancellation.
    call.network.onCancel();
    expect(refusals).toEqual([{ kind: 'incomplete', peer: '192.0.2.1', method: path, notable: true }]);
  });

  it('gives what the service does with a request all the time it takes', () => {
    const call = begin(admissionOf());
    arrive(call);
    vi.advanceTimersByTime(60_000);
    expect(call.statuses).toEqual([]);
  });

  it('tells of a request that was given up, or that grpc-js refused, once', () => {
    const admission = admissionOf();
    const givenUp = begin(admission, { peer: 'a' });
    givenUp.network.onReceiveMetadata(new Metadata());
    givenUp.network.onCancel();
    const tooLarge = begin(admission, { peer: 'b' });
    tooLarge.network.onReceiveMetadata(new Metadata());
    tooLarge.end(status.RESOURCE_EXHAUSTED);
    const told = () => refusals.map(({ kind, peer }) => `${kind} ${peer}`);
    expect(told()).toEqual(['incomplete a', 'incomplete b']);
    tooLarge.network.onCancel();
    expect(told()).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has no deadline for the messages of a stream, and tells nothing of its end', () => {
    const call = begin(admissionOf(), { requestStream: true });
    call.network.onReceiveMetadata(new Metadata());
    vi.advanceTimersByTime(60_000);
    call.network.onCancel();
    expect(call.seen).toEqual(['metadata', 'cancel']);
    expect(call.statuses).toEqual([]);
    expect(refusals).toEqual([]);
  });

  it('calls the first refusal of each kind, address and second notable, whoever found it', () => {
    const admission = admissionOf();
    const refuse = (kind: Refusal['kind'], peer: string, at: number) => {
      now = at;
      admission.refuse({ kind, peer, method: '' });
      return refusals.at(-1)?.notable;
    };
    expect(refuse('connections', 'a', 0)).toBe(true);
    expect(refuse('connections', 'a', 999)).toBe(false);
    expect(refuse('connections', 'b', 999)).toBe(true);
    expect(refuse('rate', 'a', 999)).toBe(true);
    expect(refuse('connections', 'a', 1000)).toBe(true);
  });
});
