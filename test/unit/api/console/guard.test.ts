import { describe, expect, it } from 'vitest';
import { readCookie, writeCookie } from '../../../../src/api/console/cookies.ts';
import { forgery, isNavigation, strangeHost } from '../../../../src/api/console/guard.ts';
import { Secret } from '../../../../src/kernel/index.ts';

const origin = 'https://citadel.example:8444';
const own = { 'x-citadel-console': '1', 'sec-fetch-site': 'same-origin' };

describe('forgery', () => {
  it.each([
    ['the page reads', 'GET', own, undefined],
    ['the page writes', 'POST', { ...own, origin }, undefined],
    ['a browser that says no site', 'POST', { 'x-citadel-console': '1', origin }, undefined],
    ['no header', 'POST', { 'sec-fetch-site': 'same-origin', origin }, 'header'],
    ['another value of it', 'POST', { ...own, 'x-citadel-console': 'true', origin }, 'header'],
    ['another site', 'POST', { ...own, 'sec-fetch-site': 'cross-site', origin }, 'site'],
    ['another port of the host', 'POST', { ...own, 'sec-fetch-site': 'same-site', origin }, 'site'],
    ['typed into the bar', 'GET', { ...own, 'sec-fetch-site': 'none' }, 'site'],
    ['another origin', 'POST', { ...own, origin: 'https://citadel.example' }, 'origin'],
    ['an origin that begins alike', 'POST', { ...own, origin: `${origin}.evil.example` }, 'origin'],
    ['an origin that is hidden', 'POST', { ...own, origin: 'null' }, 'origin'],
    ['no origin of what writes', 'POST', own, 'origin'],
    ['another origin that reads', 'GET', { ...own, origin: 'https://evil.example' }, 'origin'],
  ])('%s', (_, method, headers, word) => {
    const found = forgery({ method, headers }, origin);
    if (word === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(word);
  });
});

it.each([
  ['citadel.example:8444', false],
  ['CITADEL.example:8444', false],
  ['citadel.example', true],
  ['127.0.0.1:8444', true],
  [undefined, true],
])('the name %s is strange: %s', (host, strange) => {
  expect(strangeHost({ headers: { host } }, origin)).toBe(strange);
});

it('takes a window for a window, and no picture or frame', () => {
  const of = (mode: string, dest: string) =>
    isNavigation({ headers: { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } });
  expect([of('navigate', 'document'), of('navigate', 'iframe'), of('no-cors', 'image')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(isNavigation({ headers: {} })).toBe(true);
});

describe('cookies', () => {
  const token = new Secret('A'.repeat(43));
  const name = '__Host-citadel-session';

  it('are of this host over TLS, out of scripts’ reach', () => {
    expect(writeCookie('session', token)).toBe(
      `${name}=${'A'.repeat(43)}; Path=/; Secure; HttpOnly; SameSite=Strict`,
    );
    expect(writeCookie('signIn', undefined)).toBe(
      '__Host-citadel-sign-in=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0',
    );
  });

  it.each([
    ['is there', `other=1; ${name}=${'A'.repeat(43)}`, true],
    ['is not', 'other=1', false],
    ['comes twice', `${name}=${'A'.repeat(43)}; ${name}=${'B'.repeat(43)}`, false],
    ['is no token', `${name}=x`, false],
    ['is of a longer name', `x${name}=${'A'.repeat(43)}`, false],
  ])('one that %s', (_, cookie, there) => {
    expect(readCookie({ cookie }, 'session')?.reveal()).toBe(there ? 'A'.repeat(43) : undefined);
  });
});
