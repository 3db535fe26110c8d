import { describe, expect, it } from 'vitest';
import { readReviewStatus } from '../../../../src/adapters/kubernetes/token/review.ts';

const key = (name: string) => `authentication.kubernetes.io/${name}`;
const pod = { [key('pod-name')]: ['web-1'], [key('pod-uid')]: ['u-1'] };
const groups = ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'];
const user = { username: 'system:serviceaccount:shop:web', groups, extra: pod };
const good = { authenticated: true, audiences: ['istio-ca'], user };
const judge = (status: unknown) => readReviewStatus(status, ['istio-ca', 'citadel']);

describe('readReviewStatus', () => {
  it('reads the service account and the pod', () => {
    const owner = { namespace: 'shop', serviceAccount: 'web', pod: { name: 'web-1', uid: 'u-1' } };
    expect(judge(good)).toEqual(owner);
    const extra = { ...pod, [key('node-name')]: ['n-1'] };
    expect(judge({ ...good, user: { ...user, extra } })).toEqual({
      ...owner,
      pod: { ...owner.pod, nodeName: 'n-1' },
    });
    expect(judge({ ...good, user: { ...user, extra: undefined } })).toEqual({
      namespace: 'shop',
      serviceAccount: 'web',
    });
  });

  it.each([
    ['no status', undefined],
    ['not authenticated', { ...good, authenticated: false }],
    ['authenticated as a string', { ...good, authenticated: 'true' }],
    ['no audiences: a server that knows none', { ...good, audiences: undefined }],
    ['another audience', { ...good, audiences: ['vault'] }],
    ['audiences of another form', { ...good, audiences: 'istio-ca' }],
    ['no user', { ...good, user: undefined }],
    ['a node', { ...good, user: { ...user, username: 'system:node:n-1' } }],
    ['a name with a part too many', { ...good, user: { ...user, username: `${user.username}:x` } }],
    ['a name with a part too few', { ...good, user: { ...user, username: 'system:serviceaccount:web' } }],
    ['an empty namespace', { ...good, user: { ...user, username: 'system:serviceaccount::web' } }],
    ['upper case', { ...good, user: { ...user, username: 'system:serviceaccount:Shop:web' } }],
    ['a slash', { ...good, user: { ...user, username: 'system:serviceaccount:shop:web/ns' } }],
    ['a NUL', { ...good, user: { ...user, username: 'system:serviceaccount:shop:web\0' } }],
    ['a final newline', { ...good, user: { ...user, username: 'system:serviceaccount:shop:web\n' } }],
    ['no groups', { ...good, user: { ...user, groups: [] } }],
    ['groups of another namespace', { ...good, user: { ...user, groups: [groups[0], `${groups[0]}:x`] } }],
    ['a pod without UID', { ...good, user: { ...user, extra: { [key('pod-name')]: ['web-1'] } } }],
    ['two pods', { ...good, user: { ...user, extra: { ...pod, [key('pod-name')]: ['a', 'b'] } } }],
    ['an empty pod name', { ...good, user: { ...user, extra: { ...pod, [key('pod-name')]: [''] } } }],
    ['a pod UID that is no list', { ...good, user: { ...user, extra: { ...pod, [key('pod-uid')]: 'u' } } }],
  ])('refuses %s', (_, status) => {
    expect(judge(status)).toHaveProperty('refused');
  });
});
