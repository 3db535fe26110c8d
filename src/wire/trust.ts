import { DataSource } from '../gen/envoy/config/core/v3/base.ts';
import { Secret } from '../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';

const spiffeValidatorTypeUrl =
  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig';

export interface Trusted {
  /** All authorities of one trust domain. */
  readonly pem: string;
  readonly crls?: { readonly pem: string } | undefined;
}

export interface TrustedDomain {
  readonly trustDomain: string;
  /** All its authorities. */
  readonly pem: string;
}

/**
 * A validation context with these authorities, and with the CRLs of all that issue leaves. Without a CRL the leaf is
 * refused; those of the authorities above it are not asked for: their keys may be away for longer than any CRL lasts.
 */
export function trustOfOne(name: string, { pem, crls }: Trusted): Secret {
  return Secret.fromPartial({
    name,
    type: {
      $case: 'validationContext',
      value: {
        trustedCa: inline(pem),
        ...(crls ? { crl: inline(crls.pem), onlyVerifyLeafCertCrl: true } : {}),
      },
    },
  });
}

/** A validation context without CRLs, which this validator ignores, in which each certificate is held against the authorities of its own trust domain. */
export function trustOfAll(name: string, domains: readonly TrustedDomain[]): Secret {
  return Secret.fromPartial({
    name,
    type: {
      $case: 'validationContext',
      value: {
        customValidatorConfig: {
          name: 'envoy.tls.cert_validator.spiffe',
          typedConfig: { typeUrl: spiffeValidatorTypeUrl, value: encodeSpiffeValidator(domains) },
        },
      },
    },
  });
}

/**
 * SPIFFECertValidatorConfig (tls_spiffe_validator_config.proto): field 1, repeated TrustDomain, of name = 1 and
 * trust_bundle = 2 (a DataSource). It is the one message needed of a file that is generated for nobody else.
 */
function encodeSpiffeValidator(domains: readonly TrustedDomain[]): Buffer {
  const encoded = domains.map(({ trustDomain, pem }) =>
    Buffer.concat([
      lengthDelimited(1, Buffer.from(trustDomain)),
      lengthDelimited(2, DataSource.encode(inline(pem)).finish()),
    ]),
  );
  return Buffer.concat(encoded.map((domain) => lengthDelimited(1, domain)));
}

function lengthDelimited(field: number, content: Uint8Array): Buffer {
  const head = [(field << 3) | 2];
  let length = content.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), content]);
}

function inline(text: string): DataSource {
  return DataSource.fromPartial({ specifier: { $case: 'inlineBytes', value: Buffer.from(text) } });
}
