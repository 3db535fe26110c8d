import { CitadelError } from '../../kernel/index.ts';
import type { UseObservation } from '../consumers.ts';
import { type History, normalSerial, serialSet } from '../history.ts';
import { isJsonObject } from './json.ts';

/** One TLS context of Envoy, as its admin's /certs shows it. */
export interface TlsContextInUse {
  /** Of its own leaves, normalised. */
  readonly leafSerials: readonly string[];
  /** Of the authorities it trusts, normalised and sorted. */
  readonly authoritySerials: readonly string[];
}

const evidence = 'envoy-admin';

/** Reads /certs (envoy.admin.v3.Certificates). @throws CitadelError DataLoss when it is something else */
export function readCertificates(body: string): TlsContextInUse[] {
  const document = parseJson(body);
  const certificates = isJsonObject(document) ? document['certificates'] : undefined;
  if (!Array.isArray(certificates))
    throw new CitadelError('DataLoss', "Envoy's /certs has an unexpected form");
  return certificates.map((entry: unknown) => ({
    leafSerials: serials(entry, 'cert_chain'),
    authoritySerials: serialSet(serials(entry, 'ca_cert')),
  }));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new CitadelError('DataLoss', "Envoy's /certs is not JSON", { cause });
  }
}

function serials(entry: unknown, field: string): string[] {
  const details = isJsonObject(entry) ? entry[field] : undefined;
  if (!Array.isArray(details)) return [];
  return details.flatMap((detail: unknown) => {
    const serial = isJsonObject(detail) ? detail['serial_number'] : undefined;
    return typeof serial === 'string' ? [normalSerial(serial)] : [];
  });
}

/**
 * Our certificate in use: of the ones that any context still holds, the oldest, because a change is done only when the last
 * context has made it. Undefined when no context holds one of ours.
 */
export function svidInUse(
  contexts: readonly TlsContextInUse[],
  { svids }: History,
): UseObservation | undefined {
  const held = svids.find(({ serial }) =>
    contexts.some(({ leafSerials }) => leafSerials.includes(normalSerial(serial))),
  );
  return held === undefined ? undefined : { version: held.serial, evidence, issuer: held.issuer };
}

/** The bundle of a trust domain in use, by the same rule: a context holds one when its authorities are exactly those. */
export function bundleInUse(
  contexts: readonly TlsContextInUse[],
  { bundles }: History,
  trustDomain: string,
): UseObservation | undefined {
  const held = bundles.find(
    (bundle) =>
      bundle.trustDomain === trustDomain &&
      contexts.some(({ authoritySerials }) => sameList(authoritySerials, bundle.serials)),
  );
  return held === undefined ? undefined : { version: held.version, evidence };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
