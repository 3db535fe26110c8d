import { X509Certificate } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CitadelError, describeError, Secret, systemErrorCode } from '../kernel/index.ts';

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

/** When the certificate ended; undefined while it has not, and where it cannot be read. */
export function endedAt(chain: string, now: number): Date | undefined {
  try {
    const { validToDate } = new X509Certificate(chain);
    return validToDate.getTime() < now ? validToDate : undefined;
  } catch {
    return undefined;
  }
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
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes sure that a profile can be written, before anything that is good only once is spent on one.
 * @throws CitadelError FailedPrecondition
 */
export function prepareProfile(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new CitadelError(
      'FailedPrecondition',
      `${directory} cannot be written (${describeError(cause)}); name another directory with CITADEL_HOME`,
      { cause },
    );
  }
}

/** The name of the operator that is enrolled there already; `somebody` where it cannot be read. */
export function enrolledAs(directory: string): string | undefined {
  const file = join(directory, chainFile);
  if (!existsSync(file)) return undefined;
  try {
    const names = new X509Certificate(readFileSync(file)).subjectAltName ?? '';
    return /\boperator\/([a-z0-9-]+)/.exec(names)?.[1] ?? 'somebody';
  } catch {
    return 'somebody';
  }
}

/** Into a prepared directory. Each file is replaced whole; the certificate last, so that an interrupted write leaves the old one usable or none. */
export function writeProfile(directory: string, profile: Profile): void {
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
