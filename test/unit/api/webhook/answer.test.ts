import { describe, expect, it } from 'vitest';
import { answerReview, warningLines } from '../../../../src/api/webhook/answer.ts';
import { type AdmissionRequest, formatReview, readReview } from '../../../../src/api/webhook/review.ts';
import { judgePolicy } from '../../../../src/domain/policy/index.ts';
import { meshSettings } from '../../../fakes/mesh-settings.ts';

const judge = (object: unknown) =>
  judgePolicy(object, 'kubernetes', { settings: meshSettings, snapshot: undefined });

const policy = (spec: object, metadata: object = {}) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    managedFields: [{ manager: 'kubectl' }],
    // What no version of ours knows.
    novelty: true,
    ...metadata,
  },
  spec,
  status: { conditions: [] },
});
const request = (given: Partial<AdmissionRequest>): AdmissionRequest => ({
  uid: 'u-1',
  operation: 'CREATE',
  group: 'security.istio.io',
  kind: 'AuthorizationPolicy',
  object: policy({}),
  ...given,
});
const from = (source: object) => ({ rules: [{ from: [{ source }] }] });

describe('an answer to an API server', () => {
  it('lets a good policy pass without a word', () => {
    expect(answerReview(request({ object: policy(from({ namespaces: ['shop'] })) }), judge)).toEqual({
      allowed: true,
    });
  });

  it('refuses a bad one with path, what and mend, for people and for programs', () => {
    const answer = answerReview(request({ object: policy({ rulez: [] }) }), judge);
    expect(answer).toMatchObject({
      allowed: false,
      status: {
        code: 422,
        reason: 'Invalid',
        message: expect.stringMatching(/^spec\.rulez: .*; did you mean rules\?$/),
        details: {
          kind: 'AuthorizationPolicy',
          name: 'web',
          causes: [{ field: 'spec.rulez', message: expect.stringContaining('did you mean rules?') }],
        },
      },
    });
  });

  it('tells a few of many problems, and how many there are', () => {
    const spec = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${index}`, 1]));
    const { status } = answerReview(request({ object: policy(spec) }), judge);
    const { message } = Object(status);
    expect(message.split('\n- ')).toHaveLength(12);
    expect(message).toMatch(/\n- and 90 more$/);
  });

  it('warns of what is surely not meant', () => {
    const answer = answerReview(
      request({ object: policy(from({ principals: ['spiffe://a/ns/b/sa/c'] })) }),
      judge,
    );
    expect(answer).toEqual({
      allowed: true,
      warnings: [expect.stringMatching(/^spec\.rules\[0\]\.from\[0\]\.source\.principals\[0\]: .*spiffe/)],
    });
  });

  it.each<[string, Partial<AdmissionRequest>]>([
    ['a removal', { operation: 'DELETE', object: null }],
    [
      'what is on its way out, however broken',
      { operation: 'UPDATE', object: policy({ rulez: 1 }, { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    ],
  ])('lets %s pass', (_, given) => {
    expect(answerReview(request(given), judge)).toEqual({ allowed: true });
  });

  it('says that it does not judge what is no policy, and stops none of it', () => {
    expect(answerReview(request({ group: '', kind: 'Pod', object: {} }), judge)).toEqual({
      allowed: true,
      warnings: [expect.stringContaining('no Pod')],
    });
  });

  it('keeps to the limits that Kubernetes sets to warnings', () => {
    const warning = {
      rule: 'r',
      object: { kind: 'AuthorizationPolicy', namespace: 'a', name: 'b' } as const,
      source: 's',
      path: 'spec',
      message: `line\nbreak ${'😀'.repeat(300)}`,
      mend: 'm',
    };
    const lines = warningLines(Array.from({ length: 40 }, () => warning));
    expect(lines).toHaveLength(15);
    for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(256);
    expect(Array.from(lines.join('')).length).toBeLessThanOrEqual(4096);
    expect(lines[0]).toMatch(/^spec: line break 😀.*…$/u);
    expect(lines.at(-1)).toBe('and 26 more: see citadel policy lint');
    expect(warningLines([warning])).toHaveLength(1);
  });
});

describe('a question', () => {
  const review = (given: object = {}) => ({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation: 'CREATE',
      kind: { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' },
      object: policy({}),
      dryRun: true,
      ...given,
    },
  });
  const read = (value: unknown) => readReview(Buffer.from(JSON.stringify(value)));

  it('is read as far as it matters', () => {
    expect(read(review())).toMatchObject({ uid: 'u-1', operation: 'CREATE', group: 'security.istio.io' });
  });

  it.each<[string, unknown, string]>([
    ['text', 'hello', 'no JSON object'],
    ['another version', { ...review(), apiVersion: 'admission.k8s.io/v1beta1' }, 'no AdmissionReview'],
    ['another kind', { ...review(), kind: 'TokenReview' }, 'no AdmissionReview'],
    ['an answer', { ...review(), request: undefined, response: {} }, 'request is missing'],
    ['no uid', review({ uid: '' }), 'request.uid'],
    ['a long uid', review({ uid: 'u'.repeat(129) }), 'request.uid'],
    ['another operation', review({ operation: 'PATCH' }), 'request.operation'],
    ['no kind', review({ kind: 'AuthorizationPolicy' }), 'request.kind'],
    ['no object', review({ object: null }), 'request.object'],
  ])('that is %s is none', (_, value, reason) => {
    expect(read(value)).toContain(reason);
  });

  it('is UTF-8', () => {
    expect(readReview(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBe(
      'the body is no JSON object',
    );
  });

  it('has its answer under its own uid', () => {
    expect(JSON.parse(formatReview('u-1', { allowed: true }))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u-1', allowed: true },
    });
  });
});
