import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { JwksSource } from '../../domain/ports/index.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import type { AddressPolicy } from './addresses.ts';
import { faultOfUrl, type HostPolicy } from './allow-list.ts';
import { discoveryAddress, keysOfDiscovery } from './discovery.ts';
import { type GetOptions, getBounded } from './get.ts';
import { type Resolve, systemResolve } from './resolve.ts';

export interface JwksSourceOptions extends HostPolicy, AddressPolicy {
  /** PEM; trusted beside the authorities that the process trusts. */
  readonly caFile?: string | undefined;
  readonly resolve?: Resolve;
}

/**
 * Fetches key sets from where authors of policies say, who must not be able to make the server ask just anything.
 * @throws CitadelError FailedPrecondition when the CA file cannot be used
 */
export async function createJwksSource(given: JwksSourceOptions): Promise<JwksSource> {
  const { caFile, resolve = systemResolve() } = given;
  const options: GetOptions = {
    ...given,
    resolve,
    secureContext: caFile === undefined ? undefined : await trusting(caFile),
  };
  return {
    allows: (location) => {
      const address = location.kind === 'jwks' ? location.uri : location.issuer;
      return URL.canParse(address) && faultOfUrl(new URL(address), options) === undefined;
    },
    async fetch(location, signal) {
      if (location.kind === 'jwks') return await getBounded(location.uri, options, signal);
      const document = await getBounded(discoveryAddress(location.issuer), options, signal);
      return await getBounded(keysOfDiscovery(document, location.issuer), options, signal);
    },
  };
}

async function trusting(caFile: string) {
  try {
    const pem = await readFile(caFile, 'utf8');
    // TLS passes over what it cannot read, and would then trust nobody more.
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate');
    return createSecureContext({ ca: [...getCACertificates('default'), pem], minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new CitadelError('FailedPrecondition', 'the file of mesh.jwks.caFile cannot be used', {
      details: `${caFile}: ${describeError(error)}`,
    });
  }
}
