import { isIP } from 'node:net';
import type { Address } from '../../../gen/envoy/config/core/v3/address.ts';
import type { AccessLogCommon } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { plainAddress } from './text.ts';

const rbacNamespaces = ['envoy.filters.http.rbac', 'envoy.filters.network.rbac'];

/** What filters left of what they decided. */
export function rbacFields({ metadata }: AccessLogCommon): Readonly<Record<string, unknown>> {
  return Object.assign({}, ...rbacNamespaces.map((name) => metadata?.filterMetadata[name] ?? {}));
}

/** @throws CitadelError InvalidArgument */
export function socket(address: Address | undefined, what: string): { address: string; port: number } {
  const value = address?.address;
  if (value?.$case !== 'socketAddress' || value.value.portSpecifier?.$case !== 'portValue')
    throw new CitadelError('InvalidArgument', `an access log entry lacks ${what}`);
  const port = value.value.portSpecifier.value;
  if (port < 1 || port > 65_535)
    throw new CitadelError('InvalidArgument', 'an access log entry has a port that is none');
  return { address: plainAddress(value.value.address), port };
}

/** Without its port, of which a client that was forwarded has none; undefined for what is no address. */
export function hostOf(address: Address | undefined): string | undefined {
  const value = address?.address;
  return value?.$case === 'socketAddress' && isIP(value.value.address) !== 0
    ? plainAddress(value.value.address)
    : undefined;
}
