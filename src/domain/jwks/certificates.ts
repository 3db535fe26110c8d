import { X509Certificate } from 'node:crypto';

/**
 * The keys of certificates by their kid, as some issuers publish them in place of a key set: Istio's reference names one,
 * https://www.googleapis.com/oauth2/v1/certs. As with Envoy, only the keys count, not what else a certificate says.
 * @returns undefined for what is something else
 */
export function keysOfCertificates(
  published: Readonly<Record<string, unknown>>,
): readonly object[] | undefined {
  const all = Object.entries(published);
  if (all.length === 0 || !all.every(([, text]) => isCertificate(text))) return undefined;
  return all.map(([kid, text]) => ({ ...keyOf(String(text)), kid }));
}

function isCertificate(text: unknown): boolean {
  return typeof text === 'string' && /^-----BEGIN CERTIFICATE-----\r?\n/.test(text);
}

/** Of a broken one nothing, which is no key. */
function keyOf(pem: string): object {
  try {
    return new X509Certificate(pem).publicKey.export({ format: 'jwk' });
  } catch {
    return {};
  }
}
