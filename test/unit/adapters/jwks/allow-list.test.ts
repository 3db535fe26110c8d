import { describe, expect, test } from 'vitest';
import { faultOfUrl } from '../../../../src/adapters/jwks/allow-list.ts';

const fault = (url: string, allow: readonly string[], allowHttp = false) =>
  faultOfUrl(new URL(url), { allow, allowHttp });

describe('what may be asked', () => {
  test.each([
    ['https://id.example/keys', ['id.example']],
    ['https://ID.example/keys', ['Id.Example']],
    ['https://id.example:443/keys', ['id.example']],
    ['https://id.example/keys', ['id.example:443']],
    ['https://id.example:8443/keys', ['id.example:8443']],
    ['https://a.b.example/keys', ['*.example']],
    ['https://[::1]:8443/', ['[::1]:8443']],
    ['https://127.1/', ['127.0.0.1']],
  ])('%s by %s', (url, allow) => {
    expect(fault(url, allow)).toBeUndefined();
  });

  test.each([
    ['https://id.example/keys', []],
    ['https://id.example/keys', ['other.example']],
    ['https://id.example:8443/keys', ['id.example']],
    ['https://id.example/keys', ['id.example:8443']],
    ['https://evil-id.example/', ['id.example']],
    ['https://id.example.evil/', ['id.example']],
    ['https://id.example./', ['id.example']],
    ['https://example/', ['*.example']],
    ['https://notexample/', ['*.example']],
    ['https://x.example:8443/', ['*.example']],
  ])('not %s by %s', (url, allow) => {
    expect(fault(url, allow)).toMatch(/ is none of mesh\.jwks\.allow$/);
  });

  test('by https, unless it is said otherwise, and never with a password', () => {
    expect(fault('http://id.example/', ['id.example'])).toBe('only https can be trusted for keys');
    expect(fault('http://id.example/', ['id.example'], true)).toBeUndefined();
    expect(fault('http://id.example:8080/', ['id.example'], true)).toMatch('none of');
    expect(fault('file:///etc/passwd', [''], true)).toMatch('file:// is no way');
    expect(fault('https://id.example@evil.example/', ['id.example'])).toMatch('must hold no password');
  });
});
