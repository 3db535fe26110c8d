import type { ServingCertificate } from '../../domain/serving/index.ts';

/** What our listeners show; `ca` is what a client's certificate is held against, where one is shown. */
export function tlsContextOf(
  { chainPem, privateKeyPem, bundlePem }: ServingCertificate,
  ca: string = bundlePem,
) {
  return { cert: chainPem, key: privateKeyPem.reveal(), ca, minVersion: 'TLSv1.2' as const };
}
