import { type AdoptedKind, sdsNames, secretTypeUrl } from '../../domain/ports/index.ts';
import { DataSource } from '../../gen/envoy/config/core/v3/base.ts';
import { Secret } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { trustOfAll, trustOfOne } from '../../wire/index.ts';
import { type AgentSnapshot, type Bundle, type Identity, ownBundle } from '../identity/identity.ts';

/** One secret as it goes over the wire; encoded once for all streams that carry it. */
export interface SecretResource {
  readonly name: string;
  readonly kind: AdoptedKind;
  /** A bundle's content version, or the SVID's serial. */
  readonly version: string;
  /** Changes with all that is in it: what xDS calls its version. */
  readonly content: string;
  /** The version of the CRLs in it, empty for none; undefined where it could bear none. */
  readonly crls?: string;
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
  if (name === sdsNames.certificate || name === identity.id.toString()) {
    if (identity.notAfter <= now) return 'pending';
    return once(identity, name, () => certificateSecret(identity, name));
  }
  if (name === sdsNames.allBundles) return once(bundles, name, () => allBundlesSecret(bundles, name));
  const bundle = name === sdsNames.bundle ? ownBundle(snapshot) : bundles.get(trustDomainOf(name));
  if (bundle !== undefined) return once(bundle, name, () => bundleSecret(bundle, name));
  return name === sdsNames.bundle ? 'pending' : 'unknown';
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
  const { serial } = identity;
  return { name, kind: 'svid', version: serial, content: serial, any: pack(value) };
}

function bundleSecret(bundle: Bundle, name: string): SecretResource {
  const { version, crls } = bundle;
  return {
    name,
    kind: 'bundle',
    version,
    crls: crls?.version ?? '',
    content: crls ? `${version}+${crls.version}` : version,
    any: pack(trustOfOne(name, bundle)),
  };
}

function allBundlesSecret(bundles: ReadonlyMap<string, Bundle>, name: string): SecretResource {
  const sorted = [...bundles.values()].sort((a, b) => (a.trustDomain < b.trustDomain ? -1 : 1));
  const version = sorted.map((bundle) => bundle.version).join('+');
  return { name, kind: 'bundle', version, content: version, any: pack(trustOfAll(name, sorted)) };
}

function inline(text: string): DataSource {
  return DataSource.fromPartial({ specifier: { $case: 'inlineBytes', value: Buffer.from(text) } });
}

function pack(secret: Secret): Any {
  return { typeUrl: secretTypeUrl, value: Buffer.from(Secret.encode(secret).finish()) };
}
