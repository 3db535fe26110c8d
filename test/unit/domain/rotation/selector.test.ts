import { describe, expect, test } from 'vitest';
import { choiceOf, parseSelector, rankOf, shareUpTo } from '../../../../src/domain/rotation/selector.ts';

describe('a selector', () => {
  const shop = 'spiffe://example.org/ns/shop';
  test.each<[text: string, expected: object]>([
    ['5%', { kind: 'share', percent: 5 }],
    ['0.25%', { kind: 'share', percent: 0.25 }],
    ['namespace=shop', { kind: 'workload', namespace: 'shop', serviceAccount: undefined }],
    ['sa=web.v1', { kind: 'workload', namespace: undefined, serviceAccount: 'web.v1' }],
    ['namespace=shop,sa=web', { kind: 'workload', namespace: 'shop', serviceAccount: 'web' }],
    ['sa=web,namespace=shop', { kind: 'workload', namespace: 'shop', serviceAccount: 'web' }],
    [`${shop}/sa/web`, { kind: 'spiffeId', text: `${shop}/sa/web`, isPrefix: false }],
    [`${shop}/*`, { kind: 'spiffeId', text: `${shop}/`, isPrefix: true }],
    ['spiffe://example.org/*', { kind: 'spiffeId', text: 'spiffe://example.org/', isPrefix: true }],
  ])('%s', (text, expected) => {
    expect(parseSelector(text)).toStrictEqual(expected);
  });

  test.each([
    '',
    '%',
    '0%',
    '0.0%',
    '-1%',
    '100%',
    '1e1%',
    '5.%',
    'shop',
    'namespace=',
    'namespace=Shop',
    'namespace=shop,',
    'namespace=shop,namespace=x',
    'namespace=shop, sa=web',
    'ns=shop',
    'namespace=*',
    'spiffe://',
    'spiffe://example.org/ns/sh*',
    'spiffe://example.org/*/sa/web',
    'spiffe://example.org//*',
    `namespace=${'a'.repeat(3000)}`,
  ])('refuses %j', (text) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });

  const web = { proxyKey: 'web-1', spiffeId: `${shop}/sa/web` };
  test.each<[selector: string, spiffeId: string, isMeant: boolean]>([
    ['namespace=shop', web.spiffeId, true],
    ['namespace=shop', 'spiffe://example.org/ns/shop2/sa/web', false],
    ['sa=web', 'spiffe://example.org/ns/other/sa/web', true],
    ['namespace=shop,sa=web', `${shop}/sa/web2`, false],
    ['namespace=shop', 'spiffe://example.org/shop/web', false],
    [web.spiffeId, web.spiffeId, true],
    [web.spiffeId, `${web.spiffeId}2`, false],
    [`${shop}/*`, web.spiffeId, true],
    [`${shop}/*`, 'spiffe://example.org/ns/shop2/sa/web', false],
    ['spiffe://other.org/*', web.spiffeId, false],
  ])('%s and %s: %s', (selector, spiffeId, isMeant) => {
    const isChosen = choiceOf('a', { selectors: [selector], upTo: undefined });
    expect(isChosen({ ...web, spiffeId })).toBe(isMeant);
  });

  test('any of several will do', () => {
    const isChosen = choiceOf('a', { selectors: ['sa=db', 'sa=web'], upTo: undefined });
    expect(isChosen(web)).toBe(true);
    expect(isChosen({ ...web, spiffeId: `${shop}/sa/cart` })).toBe(false);
  });
});

describe('a share', () => {
  const keys = Array.from({ length: 200 }, (_, at) => `pod:main/${at}`);
  const chosen = (percent: number, rotationId: string, of = keys) => {
    const isChosen = choiceOf(rotationId, {
      selectors: [`${percent}%`],
      upTo: shareUpTo(percent, of, rotationId),
    });
    return of.filter((proxyKey) => isChosen({ proxyKey, spiffeId: '' }));
  };

  test.each([
    [5, 10],
    [0.1, 1],
    [99, 198],
  ])('%d%% is exactly that, one at the least', (percent, count) => {
    expect(chosen(percent, 'a')).toHaveLength(count);
  });

  test('is the same in every process, and another one in each rotation', () => {
    expect(chosen(5, 'a')).toStrictEqual(chosen(5, 'a'));
    expect(chosen(5, 'a')).not.toStrictEqual(chosen(5, 'b'));
    // By hand: the first six bytes of SHA-256("a pod:main/0").
    expect(rankOf('pod:main/0', 'a')).toBeCloseTo(0xfc2303b9c1c6 / 2 ** 48, 12);
  });

  test('of one proxy is that proxy', () => {
    expect(chosen(1, 'a', ['web-1'])).toStrictEqual(['web-1']);
  });
});
