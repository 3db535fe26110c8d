import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CitadelError, describeError, Secret } from '../../kernel/index.ts';
import type { SecretReference } from './fields.ts';

const maximumSecretBytes = 65_536;

/** Reads secrets from files and from `env`. A file's one trailing newline is not part of the secret. */
export function secretReader(env: Readonly<Record<string, string | undefined>>) {
  return (reference: SecretReference): Secret<string> => {
    const text = reference.kind === 'env' ? env[reference.name] : readFile(reference.path);
    if (text === undefined || text === '')
      throw new CitadelError(
        'InvalidArgument',
        reference.kind === 'env'
          ? `the environment variable ${reference.name} is not set`
          : `the secret file ${reference.path} is empty`,
      );
    return new Secret(text);
  };
}

function readFile(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new CitadelError('InvalidArgument', `cannot read the secret file: ${describeError(error)}`, {
      cause: error,
    });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new CitadelError('InvalidArgument', `the secret file ${file} is not a regular file`);
    if ((status.mode & 0o002) !== 0)
      throw new CitadelError(
        'InvalidArgument',
        `the secret file ${file} can be written by everyone; run chmod o-w on it`,
      );
    if (status.size > maximumSecretBytes)
      throw new CitadelError(
        'InvalidArgument',
        `the secret file ${file} is larger than ${maximumSecretBytes} bytes`,
      );
    const buffer = Buffer.alloc(maximumSecretBytes);
    const text = buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
    buffer.fill(0);
    return text.replace(/\r?\n$/, '');
  } finally {
    closeSync(descriptor);
  }
}
