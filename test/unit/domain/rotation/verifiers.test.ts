import { describe, expect, test } from 'vitest';
import type { Consumer, TlsProgram } from '../../../../src/domain/ports/index.ts';
import { liveProxies } from '../../../../src/domain/rotation/index.ts';
import { unableToVerify } from '../../../../src/domain/rotation/verifiers.ts';
import { at, leaf, report } from './samples.ts';

const node = (openssl: string): TlsProgram => ({
  name: 'node',
  version: '24.21.0',
  library: `OpenSSL ${openssl}`,
});
const envoy = (version: string, library = 'BoringSSL'): TlsProgram => ({ name: 'envoy', version, library });

function consumer(kind: Consumer['kind'], program?: TlsProgram): Consumer {
  return { id: kind, kind, resources: [], lastSeenAt: at(1), ...(program ? { program } : {}) };
}

function whys(algorithm: 'ml-dsa-65' | 'rsa-4096', agentProgram?: TlsProgram, consumers: Consumer[] = []) {
  const said = report('both', [], { consumers, ...(agentProgram ? { agentProgram } : {}) });
  return unableToVerify(algorithm, liveProxies([leaf()], [said], at(2))).map(({ why }) => why);
}

describe('who cannot verify a root of ML-DSA-65', () => {
  test.each<[string, TlsProgram | undefined, Consumer[], RegExp | undefined]>([
    ['an agent alone', node('3.5.8'), [], undefined],
    ['an agent of a later OpenSSL', node('4.0.0'), [], undefined],
    ['an agent with an Envoy', node('3.5.8'), [consumer('envoy-sds', envoy('1.40.0'))], undefined],
    ['a later Envoy', node('3.5.8'), [consumer('envoy-sds', envoy('2.1.0-dev'))], undefined],
    ['an agent that does not say', undefined, [], /its agent, of version 1, does not say/],
    ['an agent of an earlier OpenSSL', node('3.4.9'), [], /runs on node 24.21.0 with OpenSSL 3.4.9/],
    ['an agent of an OpenSSL that is none', node('x3.5'), [], /verifies no ML-DSA-65/],
    ['an earlier Envoy', node('3.5.8'), [consumer('envoy-sds', envoy('1.39.2'))], /envoy 1.39.2/],
    ['a FIPS build', node('3.5.8'), [consumer('envoy-sds', envoy('1.40.0', 'BoringSSL-FIPS'))], /FIPS/],
    ['an Envoy that is not seen', node('3.5.8'), [consumer('envoy-sds')], /version of its Envoy is not seen/],
    [
      'one Envoy of two',
      node('3.5.8'),
      [consumer('envoy-sds', envoy('1.40.0')), consumer('envoy-sds', envoy('1.4.0'))],
      /envoy 1.4.0/,
    ],
    ['a client of the Workload API', node('3.5.8'), [consumer('workload-api')], /Workload API/],
    ['files', node('3.5.8'), [consumer('file')], /its files/],
    ['another program', node('3.5.8'), [consumer('envoy-sds', { ...envoy('1.40.0'), name: 'x' })], /it is x/],
  ])('%s', (_, agent, consumers, why) => {
    expect(whys('ml-dsa-65', agent, consumers)).toStrictEqual(why ? [expect.stringMatching(why)] : []);
  });

  test('a client that cannot report', () => {
    const [unable] = unableToVerify('ml-dsa-65', liveProxies([leaf()], [], at(2)));
    expect(unable).toMatchObject({
      proxyKey: 'web-1',
      why: expect.stringContaining('cannot report'),
    });
  });

  test('who verifies without having a certificate', () => {
    const outside = [{ name: 'the API server', proxyKey: '', why: 'it does not say' }];
    expect(unableToVerify('ml-dsa-65', [], outside)).toStrictEqual(outside);
    expect(unableToVerify('ed25519', [], outside)).toStrictEqual([]);
  });

  test('nobody is asked about the others', () => {
    expect(whys('rsa-4096', node('1.1.1'), [consumer('workload-api')])).toStrictEqual([]);
    expect(unableToVerify('ecdsa-p384', liveProxies([leaf()], [], at(2)))).toStrictEqual([]);
  });
});
