import { expect, test } from 'vitest';
import { type PolicyStatus, policyStatuses } from '../../../../src/domain/mesh/policy-status.ts';
import type { ProxyResourceState, ProxyState } from '../../../../src/domain/mesh/proxy-tracker.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh } from '../../../../src/domain/mesh/view.ts';
import { connected, content, peerAuthentication, settings, workload } from './samples.ts';

const orders = workload('orders');
const index = indexMesh(composeSnapshot(settings, [content([orders], [], [peerAuthentication('STRICT')])]));

const accepted: ProxyResourceState = {
  typeUrl: 'type.googleapis.com/test.Listener',
  name: 'l',
  wanted: '2',
  sent: '2',
  accepted: '2',
  acceptedAt: new Date(0),
  error: undefined,
};

const proxy = (changes: Partial<ProxyState> = {}): ProxyState => ({
  proxy: connected({ proxyKey: 'k', spiffeId: 's' }),
  workload: orders.id,
  connectedAt: new Date(0),
  isBehind: false,
  failure: undefined,
  resources: [accepted],
  ...changes,
});

type Counts = Pick<PolicyStatus, 'current' | 'pending'> & { readonly refused: number };

test.each<{ readonly what: string; readonly of: ProxyState; readonly is: Counts }>([
  { what: 'accepted', of: proxy(), is: { current: 1, pending: 0, refused: 0 } },
  {
    what: 'not answered',
    of: proxy({ resources: [{ ...accepted, accepted: '1' }] }),
    is: { current: 0, pending: 1, refused: 0 },
  },
  {
    what: 'not asked for',
    of: proxy({ resources: [{ ...accepted, sent: undefined, accepted: undefined }] }),
    is: { current: 1, pending: 0, refused: 0 },
  },
  {
    what: 'refused',
    of: proxy({ resources: [{ ...accepted, accepted: '1', error: 'no' }] }),
    is: { current: 0, pending: 0, refused: 1 },
  },
  {
    what: 'all of an earlier state accepted, while keys of this one are on their way',
    of: proxy({ isBehind: true }),
    is: { current: 0, pending: 1, refused: 0 },
  },
  {
    what: 'all of an earlier state accepted, and this one cannot be made',
    of: proxy({ isBehind: true, failure: 'it cannot be made' }),
    is: { current: 0, pending: 0, refused: 1 },
  },
])('a policy whose proxy has $what: $is', ({ of, is }) => {
  const [status] = policyStatuses(index, [of]);
  const { current, pending, refusals } = status ?? { refusals: [] };
  expect({ current, pending, refused: refusals.length }).toEqual(is);
});
