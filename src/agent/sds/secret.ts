import type { AdoptedKind } from '../../domain/ports/index.ts';
import { DataSource } from '../../gen/envoy/config/core/v3/base.ts';
import { Secret } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { type AgentSnapshot, type Bundle, type Identity, ownBundle } from '../identity/identity.ts';

export const secretTypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
const spiffeValidatorTypeUrl =
  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig';

/** One secret as it goes over the wire; encoded once for all streams that carry it. */
export interface SecretResource {
  readonly name: string;
  readonly kind: AdoptedKind;
  /** A bundle's content version, or the SVID's serial. */
  readonly version: string;
  readonly any: Any;
}

/** `pending`: we may have it later. `unknown`: there is nothing of that name for this agent. */
export type Lookup = SecretResource | 'pending' | 'unknown';

const encoded = new WeakMap<object, Map<string, SecretResource>>();

/**
 * The secret of a name: `default` or our SPIFFE ID is the certificate and its key; `ROOTCA` our trust domain's bundle; a
 * trust domain (`spiffe://name`) that one's; `ALL` every bundle, each for its own trust domain.
 * An expired certificate is given to nobody new.
 */
export function lookupSecret(snapshot: AgentSnapshot, name: string, now: Date): Lookup {
  const { identity, bundles } = snapshot;
  if (identity === undefined) return 'pending';
  if (name === 'default' || name === identity.id.toString()) {
    if (identity.notAfter <= now) return 'pending';
    return once(identity, name, () => certificateSecret(identity, name));
  }
  if (name === 'ALL') return once(bundles, name, () => allBundlesSecret(bundles, name));
  const bundle = name === 'ROOTCA' ? ownBundle(snapshot) : bundles.get(trustDomainOf(name));
  if (bundle !== undefined) return once(bundle, name, () => bundleSecret(bundle, name));
  return name === 'ROOTCA' ? 'pending' : 'unknown';
}

function trustDomainOf(name: string): string {
  return name.startsWith('spiffe://') ? name.slice('spiffe://'.length) : '';
}

function once(owner: object, name: string, make: () => SecretResource): SecretResource {
  const resources = encoded.get(owner) ?? new Map<string, SecretResource>();
  encoded.set(owner, resources);
  const resource = resources.get(name) ?? make();
  resources.set(name, resource);
  return resource;
}

function certificateSecret(identity: Identity, name: string): SecretResource {
  const value = Secret.fromPartial({
    name,
    type: {
      $case: 'tlsCertificate',
      value: { certificateChain: inline(identity.chainPem), privateKey: inline(identity.keyPem.reveal()) },
    },
  });
  return { name, kind: 'svid', version: identity.serial, any: pack(value) };
}

function bundleSecret(bundle: Bundle, name: string): SecretResource {
  const value = Secret.fromPartial({
    name,
    type: { $case: 'validationContext', value: { trustedCa: inline(bundle.pem) } },
  });
  return { name, kind: 'bundle', version: bundle.version, any: pack(value) };
}

function allBundlesSecret(bundles: ReadonlyMap<string, Bundle>, name: string): SecretResource {
  const sorted = [...bundles.values()].sort((a, b) => (a.trustDomain < b.trustDomain ? -1 : 1));
  const value = Secret.fromPartial({
    name,
    type: {
      $case: 'validationContext',
      value: {
        customValidatorConfig: {
          name: 'envoy.tls.cert_validator.spiffe',
          typedConfig: { typeUrl: spiffeValidatorTypeUrl, value: encodeSpiffeValidator(sorted) },
        },
      },
    },
  });
  return { name, kind: 'bundle', version: sorted.map(({ version }) => version).join('+'), any: pack(value) };
}

/**
 * SPIFFECertValidatorConfig (tls_spiffe_validator_config.proto): field 1, repeated TrustDomain, of name = 1 and
 * trust_bundle = 2 (a DataSource). It is the one message needed of a file that is generated for nobody else.
 */
function encodeSpiffeValidator(bundles: readonly Bundle[]): Buffer {
  const domains = bundles.map(({ trustDomain, pem }) =>
    Buffer.concat([
      lengthDelimited(1, Buffer.from(trustDomain)),
      lengthDelimited(2, DataSource.encode(inline(pem)).finish()),
    ]),
  );
  return Buffer.concat(domains.map((domain) => lengthDelimited(1, domain)));
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

function pack(secret: Secret): Any {
  return { typeUrl: secretTypeUrl, value: Buffer.from(Secret.encode(secret).finish()) };
}
