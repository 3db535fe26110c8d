import { expect, test } from 'vitest';
import { configurationState, resourceState } from '../../../src/cli/commands/proxy.ts';
import { Proxy, ProxyDiscovery, ProxyResource } from '../../../src/gen/citadel/v1/operator.ts';

const resource = (over: Partial<ProxyResource>) => ProxyResource.fromPartial({ wantedVersion: 'b', ...over });

test.each([
  ['accepted what it should have', { sentVersion: 'b', acceptedVersion: 'b' }, 'current'],
  ['has not answered yet', { sentVersion: 'b' }, 'sent'],
  [
    'has an earlier one until it answers',
    { sentVersion: 'b', acceptedVersion: 'a' },
    'sent; an earlier one accepted',
  ],
  ['was not sent the newest', { sentVersion: 'a', acceptedVersion: 'a' }, 'an earlier one sent'],
  ['never asked', {}, 'not asked for'],
  [
    'has what it should not have',
    { wantedVersion: '', sentVersion: 'a', acceptedVersion: 'a' },
    'to be removed',
  ],
  [
    'refused the newest and keeps the last',
    { sentVersion: 'b', acceptedVersion: 'a', error: 'no such filter' },
    'refused: no such filter',
  ],
])('a resource of a proxy that %s', (_what, over, state) => {
  expect(resourceState(resource(over))).toBe(state);
});

test('a proxy’s state is its worst', () => {
  const state = (...resources: Partial<ProxyResource>[]) =>
    configurationState(
      Proxy.fromPartial({ discovery: [ProxyDiscovery.fromPartial({ resources: resources.map(resource) })] }),
    );
  const current = { sentVersion: 'b', acceptedVersion: 'b' };
  const failed = { failure: 'cannot be rendered', resources: [resource(current)] };
  expect(configurationState(Proxy.fromPartial({ discovery: [failed] }))).toBe('failed');
  expect(configurationState(Proxy.fromPartial({}))).toBe('-');
  expect(state(current, {})).toBe('current');
  expect(state(current, { sentVersion: 'b' })).toBe('pending 1');
  expect(state(current, { sentVersion: 'b' }, { error: 'no' })).toBe('refused 1');
});
