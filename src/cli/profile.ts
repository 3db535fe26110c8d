import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CitadelError, Secret } from '../kernel/index.ts';

/** What enrolment leaves with the operator: directory 0700, files 0600. */
export interface Profile {
  readonly key: Secret<string>;
  readonly chain: string;
  readonly bundle: string;
}

const keyFile = 'operator.key';
const chainFile = 'operator.crt';
const bundleFile = 'bundle.pem';

/** `CITADEL_HOME`, else `citadel` below the user's configuration directory. */
export function profileDirectory(env: NodeJS.ProcessEnv): string {
  return env['CITADEL_HOME'] ?? join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'citadel');
}

/** @throws CitadelError FailedPrecondition when others may read the key */
export function readProfile(directory: string): Profile | undefined {
  try {
    const path = join(directory, keyFile);
    if ((statSync(path).mode & 0o077) !== 0)
      throw new CitadelError('FailedPrecondition', `${path} can be read by others; run: chmod 600 ${path}`);
    return {
      key: new Secret(readFileSync(path, 'utf8')),
      chain: readFileSync(join(directory, chainFile), 'utf8'),
      bundle: readFileSync(join(directory, bundleFile), 'utf8'),
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Each file is replaced whole; the certificate last, so that an interrupted write leaves the old one usable or none. */
export function writeProfile(directory: string, profile: Profile): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const files = [
    [bundleFile, profile.bundle],
    [keyFile, profile.key.reveal()],
    [chainFile, profile.chain],
  ] as const;
  for (const [name, text] of files) {
    const path = join(directory, name);
    const temporary = `${path}.${process.pid}.new`;
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  }
}
