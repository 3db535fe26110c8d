import { CitadelError, type Clock, type Entropy, type Log, type Secret } from '../../kernel/index.ts';

/** How we prove to Vault who we are. Mounts are the auth methods' own, by default their kind. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly token: Secret<string> }
  /** A file that someone else keeps current, such as the Vault agent's sink. */
  | { readonly kind: 'token-file'; readonly path: string }
  | {
      readonly kind: 'approle';
      readonly roleId: string;
      readonly secretId: Secret<string>;
      readonly mount?: string;
    }
  | {
      readonly kind: 'kubernetes';
      readonly role: string;
      readonly tokenFile: string;
      readonly mount?: string;
    };

export interface VaultConnectionOptions {
  /** `https://vault.example:8200`; plain http on loopback alone. */
  readonly address: string;
  readonly auth: VaultAuth;
  readonly namespace?: string;
  /** PEM of the authorities that may have signed the server's certificate; by default the system's. */
  readonly caFile?: string;
  /** Milliseconds for one call, waiting for a connection included; 5000 by default. */
  readonly timeout?: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** @throws CitadelError InvalidArgument */
export function requireSafeAddress(address: string): URL {
  const url = URL.parse(address);
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.search !== '') {
    throw new CitadelError('InvalidArgument', "Vault's address must be like https://vault.example:8200");
  }
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw new CitadelError(
      'InvalidArgument',
      "Vault's address must be https: tokens would cross the network unencrypted",
    );
  }
  return url;
}

const mountPath = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/;

/** Keeps a configured mount from leading to another path. @throws CitadelError InvalidArgument */
export function requireMount(mount: string): string {
  if (mount.length > 128 || !mountPath.test(mount) || mount.includes('..')) {
    throw new CitadelError('InvalidArgument', 'a Vault mount is a path such as transit or team/pki');
  }
  return mount;
}
