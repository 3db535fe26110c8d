import { expect, test } from 'vitest';
import type { Consumer, ProxyReport } from '../../../../src/domain/ports/index.ts';
import { reportRevocation } from '../../../../src/domain/revocation/index.ts';
import { leaf, report } from '../rotation/samples.ts';
import { at, issuing } from './samples.ts';

const set = { version: 'newest', crls: [], pem: '' };

/** Why one proxy is named as one that takes revoked certificates; empty: it is not. */
function why(said: ProxyReport | undefined, principal = 'kubernetes:main/shop/web/web-1') {
  const { unenforced, sentences } = reportRevocation({
    status: {
      enforcement: { kind: 'enforced', set, issuers: new Set(['a']) },
      crls: [],
      certificates: [],
      authorities: [],
      unlisted: [],
    },
    authorities: [issuing('a')],
    reports: said ? [said] : [],
    leaves: [leaf({ principal })],
  });
  expect(sentences).toHaveLength(unenforced.length);
  return unenforced.map((each) => each.why).join();
}

function having(name: string, crlVersion: string, more: Partial<ProxyReport> = {}): ProxyReport {
  const resources = [{ name, kind: 'bundle', observedAt: at(0) } as const];
  const envoy: Consumer = { id: 'envoy', kind: 'envoy-sds', resources, lastSeenAt: at(0) };
  return report('both', [], { consumers: [envoy], crlVersion, ...more });
}

test('who takes a revoked certificate is named, with the reason', () => {
  expect(why(having('ROOTCA', 'newest'))).toBe('');
  expect(why(having('ALL', 'newest'))).toContain('SPIFFE validator');
  expect(why(having('ROOTCA', 'older'))).toContain('has not accepted the newest');
  expect(why(having('ROOTCA', 'older', { connected: false }))).toContain('is not connected');
  expect(why(report('both'))).toContain('no Envoy');
  const files: Consumer = { id: 'files', kind: 'file', resources: [], lastSeenAt: at(0) };
  expect(why(having('ROOTCA', 'newest', { consumers: [files] }))).toContain('without CRLs');
  expect(why(undefined)).toContain('does not report');
  // A server, and an operator's command line, are called by nobody.
  expect(why(undefined, 'server:one')).toBe('');
});
