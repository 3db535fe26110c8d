import type { TlsProgram } from '../../domain/ports/index.ts';
import { isJsonObject } from './json.ts';

/**
 * What an Envoy verifies with, by its admin's /server_info (envoy.admin.v3.ServerInfo), whose version reads
 * `COMMIT/1.40.0/Clean/RELEASE/BoringSSL`; undefined where it is something else.
 */
export function readProgram(body: string): TlsProgram | undefined {
  const [, version, , , library] = versionOf(body).split('/');
  return version === undefined || library === undefined ? undefined : { name: 'envoy', version, library };
}

function versionOf(body: string): string {
  try {
    const document: unknown = JSON.parse(body);
    const version = isJsonObject(document) ? document['version'] : undefined;
    return typeof version === 'string' ? version : '';
  } catch {
    return '';
  }
}
