import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { type Address, describeError } from '../../kernel/index.ts';
import { type LoadOptions, loadServerConfig } from './load.ts';

export interface PreflightFinding {
  readonly name: string;
  readonly severity: 'ok' | 'warning' | 'broken';
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/** Judges a configuration and this machine before the first start. @throws CitadelError when it cannot be read */
export async function preflight(options: LoadOptions): Promise<readonly PreflightFinding[]> {
  const warnings: string[] = [];
  const config = loadServerConfig({ ...options, onWarning: (warning) => warnings.push(warning) });
  const { csr, metrics, operator, webhook, console } = config.listen;
  return [
    { name: 'configuration', severity: 'ok', what: `${options.file} is valid`, why: '', mend: '' },
    ...warnings.map((what) => ({
      name: 'configuration',
      severity: 'warning' as const,
      what,
      why: 'a setting that was meant may not be in force',
      mend: 'remove or rename it',
    })),
    checkDirectory(config.dataDirectory),
    ...(config.keys.kind === 'disk' && config.keys.value.encryption.kind === 'keyFile'
      ? [checkKeyFile(config.keys.value.encryption.value)]
      : []),
    ...(config.mesh?.sources.files ? [checkRegistry(config.mesh.sources.files.directory)] : []),
    await checkPort('csr', csr),
    await checkPort('metrics', metrics),
    await checkPort('operator', operator),
    ...(config.mesh?.sources.kubernetes ? [await checkPort('webhook', webhook)] : []),
    ...(config.console ? [await checkPort('console', console)] : []),
  ];
}

/** As the key home demands it. */
const keyFileBytes = 32;

function checkRegistry(directory: string): PreflightFinding {
  const name = 'registry';
  const why = 'the server would start, and give proxies nothing before it can be read';
  try {
    accessSync(directory, constants.R_OK | constants.X_OK);
    return { name, severity: 'ok', what: `${directory} can be read`, why: '', mend: '' };
  } catch (error) {
    return {
      name,
      severity: 'warning',
      what: describeError(error),
      why,
      mend: `install -d -m 0755 ${directory}`,
    };
  }
}

/** The directory itself, or the nearest one above it that exists, must be ours to write. */
function checkDirectory(directory: string): PreflightFinding {
  let nearest = directory;
  while (!existsSync(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return { name: 'data-directory', severity: 'ok', what: `${directory} can be written`, why: '', mend: '' };
  } catch (error) {
    return {
      name: 'data-directory',
      severity: 'broken',
      what: describeError(error),
      why: 'the store and the keys are kept there',
      mend: `install -d -m 0700 -o $(id -u) ${directory}`,
    };
  }
}

function checkKeyFile(file: string): PreflightFinding {
  const name = 'key-file';
  const why = 'the private keys on disk are encrypted with it';
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const mend = `(umask 077 && head -c 32 /dev/urandom > ${file})`;
    return { name, severity: 'broken', what: describeError(error), why, mend };
  }
  const { mode, size } = statSync(file);
  if (size !== keyFileBytes) {
    const mend = `(umask 077 && head -c ${keyFileBytes} /dev/urandom > ${file}), where no keys are encrypted with it yet`;
    return {
      name,
      severity: 'broken',
      what: `${file} has ${size} bytes, not ${keyFileBytes}`,
      why,
      mend,
    };
  }
  if ((mode & 0o077) !== 0)
    return {
      name,
      severity: 'broken',
      what: `${file} can be read by others`,
      why,
      mend: `chmod 600 ${file}`,
    };
  return { name, severity: 'ok', what: `${file} can be read by us alone`, why: '', mend: '' };
}

async function checkPort(listener: string, { host, port }: Address): Promise<PreflightFinding> {
  const name = `port-${listener}`;
  const where = `${host}:${port}`;
  try {
    await new Promise<void>((done, fail) => {
      const server = createServer();
      server.once('error', fail);
      server.listen({ host, port, exclusive: true }, () => server.close(() => done()));
    });
    return { name, severity: 'ok', what: `${where} is free`, why: '', mend: '' };
  } catch (error) {
    return {
      name,
      severity: 'broken',
      what: `cannot listen on ${where}: ${describeError(error)}`,
      why: 'the server would not start',
      mend: `ss -ltnp 'sport = :${port}'`,
    };
  }
}
