import { SpiffeId, TrustDomain } from '@citadel/spiffe';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createEnrolment,
  createOneTimeCredential,
  createOperatorAccess,
  ensureFirstOperatorCredential,
  type OperatorCredentials,
} from '../../../../src/domain/operators/index.ts';
import type { IssuanceRecord, Role } from '../../../../src/domain/ports/index.ts';
import { CitadelError, Secret, systemEntropy } from '../../../../src/kernel/index.ts';
import { encodeCertificateRequest, generateRequestKey } from '../../../../src/pki/light.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';

const trustDomain = TrustDomain.parse('example.org');
const csr = encodeCertificateRequest(await generateRequestKey('ecdsa-p256'));

let now: Date;
let store: ReturnType<typeof memoryStore>;
let issue: () => Promise<{ readonly chain: readonly string[] }>;
const clock = { now: () => now, sleep: async () => {} };

beforeEach(() => {
  now = new Date('2030-01-01T00:00:00Z');
  store = memoryStore();
  issue = async () => ({ chain: ['leaf'] });
});

function recorded(spiffeId: SpiffeId): IssuanceRecord {
  const text = { principal: '', proxyKey: '', issuer: '', tbsDigest: '', bundleVersion: '' };
  return {
    ...text,
    serial: '01',
    spiffeId: spiffeId.toString(),
    state: 'issued',
    notBefore: now,
    notAfter: now,
    recordedAt: now,
  };
}

/** The certificate's bytes stand for the SPIFFE ID that a verifier would find in it. */
function services() {
  const access = createOperatorAccess({
    authentication: {
      trustDomain,
      localUids: [0, 1000],
      svidVerifier: {
        async verify(leaf) {
          const spiffeId = SpiffeId.parse(Buffer.from(leaf).toString());
          return { spiffeId, serial: '01', notAfter: now, issuance: recorded(spiffeId) };
        },
      },
      tokenVerifier: {
        async verify(token) {
          if (token.reveal() === 'away') throw new CitadelError('Unavailable', 'the keys cannot be read');
          if (token.reveal() !== 'good') throw new CitadelError('Unauthenticated', 'the token is not taken');
          return { issuer: 'https://id.example', subject: 'sue', role: 'author' as const };
        },
      },
    },
    operators: store.operators,
    audit: store.audit,
    clock,
  });
  const enrol = createEnrolment({
    access,
    operators: store.operators,
    audit: store.audit,
    clock,
    issueOperatorCertificate: () => issue(),
  });
  return { access, enrol };
}

const certificate = (id: string): OperatorCredentials => ({ clientCertificates: [Buffer.from(id)] });
const ada = certificate('spiffe://example.org/citadel/operator/ada');
const grant = (subject: string, role: Role) =>
  store.operators.grant({ subject, role, grantedAt: now, grantedBy: 'test' });
const events = async () => (await store.audit.find({ limit: 100 })).items;
const options = () => ({ operators: store.operators, clock, entropy: systemEntropy });

describe('authentication', () => {
  it.each<readonly [string, OperatorCredentials, string]>([
    ['nothing', {}, 'Unauthenticated'],
    ['a workload’s certificate', certificate('spiffe://example.org/ns/a/sa/citadel'), 'Unauthenticated'],
    ['another domain’s operator', certificate('spiffe://other.org/citadel/operator/ada'), 'Unauthenticated'],
    ['a longer path', certificate('spiffe://example.org/citadel/operator/ada/x'), 'Unauthenticated'],
    ['a certificate that cannot be read', certificate('junk'), 'Unauthenticated'],
    ['another local user', { localUid: 1001 }, 'Unauthenticated'],
    ['a wrong token beside a good certificate', { ...ada, token: new Secret('bad') }, 'Unauthenticated'],
    ['a token that cannot be judged', { token: new Secret('away') }, 'Unavailable'],
  ])('refuses %s, and records it', async (_, credentials, code) => {
    await grant('operator:ada', 'operator');
    await expect(services().access.authorize('whoAmI', credentials)).rejects.toMatchObject({ code });
    expect(await events()).toMatchObject([
      {
        action: 'operator.whoAmI',
        outcome: code === 'Unavailable' ? 'failed' : 'refused',
        subject: 'unauthenticated',
      },
    ]);
  });

  it('takes the higher of the token’s role and the store’s', async () => {
    const { access } = services();
    const token = { token: new Secret('good') };
    expect(await access.authorize('whoAmI', token)).toMatchObject({
      subject: 'oidc:https://id.example#sue',
      proof: 'oidc',
      effectiveRole: 'author',
    });
    await grant('oidc:https://id.example#sue', 'operator');
    expect((await access.authorize('grantRole', token)).effectiveRole).toBe('operator');
    await grant('oidc:https://id.example#sue', 'viewer');
    expect((await access.authorize('whoAmI', token)).effectiveRole).toBe('author');
  });

  it('changes nothing that cannot be recorded', async () => {
    const { access } = services();
    const caller = await access.authorize('grantRole', { localUid: 0 });
    store.audit.append = () => Promise.reject(new CitadelError('ResourceExhausted', 'the disk is full'));
    await expect(access.grant(caller, 'operator:eve', 'operator')).rejects.toMatchObject({
      code: 'ResourceExhausted',
    });
    expect(await store.operators.get('operator:eve')).toBeUndefined();
  });

  it.each(['eve', 'operator:', 'operator:Eve', 'operator:a b', 'oidc:ftp://x#y', 'local:0'])(
    'grants nothing to a subject such as %j',
    async (subject) => {
      const { access } = services();
      const caller = await access.authorize('grantRole', { localUid: 0 });
      await expect(access.grant(caller, subject, 'viewer')).rejects.toMatchObject({
        code: 'InvalidArgument',
      });
    },
  );
});

describe('the one-time credential', () => {
  it('is offered until there is an operator, and kept as a digest', async () => {
    const credential = await ensureFirstOperatorCredential(options());
    expect(credential?.reveal()).toMatch(/^citadel-enrol-[\w-]{43}$/);
    await grant('operator:vic', 'viewer');
    expect(await ensureFirstOperatorCredential(options())).toBeDefined();
    await grant('operator:ada', 'operator');
    expect(await ensureFirstOperatorCredential(options())).toBeUndefined();
  });

  it('serves once, also when used at the same moment', async () => {
    const { enrol } = services();
    const credential = await createOneTimeCredential('viewer', options());
    const tries = ['a', 'b', 'c'].map((name) => enrol({ credential, csr, name, role: 'operator' }, {}));
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await store.operators.list()).map(({ role }) => role)).toEqual(['viewer']);
  });

  it('ends after 24 hours', async () => {
    const credential = await createOneTimeCredential('operator', options());
    now = new Date(now.getTime() + 24 * 3_600_000);
    await expect(services().enrol({ credential, csr, name: 'ada' }, {})).rejects.toMatchObject({
      code: 'Unauthenticated',
    });
  });

  it('is not used up by a request that is wrong, a name that is taken or a failure of ours', async () => {
    const { enrol } = services();
    const credential = await createOneTimeCredential('operator', options());
    await expect(enrol({ credential, csr: 'junk', name: 'ada' }, {})).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await expect(enrol({ credential, csr, name: 'Not-A-Name' }, {})).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await grant('operator:vic', 'viewer');
    await expect(enrol({ credential, csr, name: 'vic' }, {})).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    issue = () => Promise.reject(new CitadelError('Unavailable', 'not now'));
    await expect(enrol({ credential, csr, name: 'ada' }, {})).rejects.toMatchObject({ code: 'Unavailable' });
    issue = async () => ({ chain: ['leaf'] });
    expect(await enrol({ credential, csr, name: 'ada' }, {})).toEqual({ chain: ['leaf'], role: 'operator' });
  });
});
