import { SpiffeError } from './errors.ts';

// RFC 7518 6.2.2, 6.3.2, 6.4.1 and RFC 8037 2: the members that only a private or a shared key has.
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** A bundle is published: a key in it must be public. */
export function refuseSecretMembers(key: object): void {
  if (!secretMembers.some((name) => Object.hasOwn(key, name))) return;
  throw new SpiffeError('bundle-private-key', 'a key of the bundle holds private parts');
}
