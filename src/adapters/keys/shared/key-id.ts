import { CitadelError } from '../../../kernel/index.ts';

const keyId = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether `text` may be a key's id; such an id is safe as a file name and in a URL's path. */
export function isKeyId(text: string): boolean {
  return keyId.test(text);
}

/** @throws CitadelError InvalidArgument when `id` does not match `[a-z0-9][a-z0-9-]{0,62}` */
export function requireKeyId(id: string): void {
  if (!isKeyId(id)) {
    throw new CitadelError(
      'InvalidArgument',
      'a key id has 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen',
    );
  }
}

export function keyIdTaken(): CitadelError {
  return new CitadelError('AlreadyExists', 'there is a key of this id already');
}

export function keyManagerClosed(): CitadelError {
  return new CitadelError('FailedPrecondition', 'the key manager has been closed');
}

export function keyDestroyed(): CitadelError {
  return new CitadelError('FailedPrecondition', 'the key has been destroyed');
}

/** @throws CitadelError InvalidArgument when `algorithm`, which may come from a configuration, is none of `offered` */
export function requireAlgorithm(algorithm: string, offered: readonly string[]): void {
  if (!offered.includes(algorithm)) {
    throw new CitadelError('InvalidArgument', `the key algorithm must be one of ${offered.join(', ')}`);
  }
}
