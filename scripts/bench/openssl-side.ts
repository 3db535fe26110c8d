import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type Side, saturate } from './measure.ts';

const run = promisify(execFile);

/** What OpenSSL itself can do, a verification and a signature each: nobody who uses it issues faster. */
export async function opensslSides(): Promise<Side[]> {
  const sides = [nodeLoop()];
  try {
    const { stdout } = await run('openssl', ['version']);
    sides.unshift(speedTool(stdout.split(' ').slice(0, 2).join(' ')));
  } catch {
    console.error('no openssl program here; taking the limit from a loop in Node');
  }
  return sides;
}

function speedTool(version: string): Side {
  return {
    name: `limit: openssl speed (${version})`,
    async run(seconds) {
      const { stdout } = await run('openssl', [
        'speed',
        '-seconds',
        String(Math.ceil(seconds)),
        '-mr',
        'ecdsap256',
      ]);
      // +F4:<n>:<bits>:<seconds a signature>:<seconds a verification>, of CPU time.
      const [, signs, verifies] = /^\+F4:\d+:256:([\d.e+-]+):([\d.e+-]+)/m.exec(stdout) ?? [];
      if (signs === undefined || verifies === undefined) throw new Error(`openssl speed said: ${stdout}`);
      return { issued: 1, cpuSeconds: oneOf(signs) + oneOf(verifies) };
    },
  };
}

/** Versions differ in whether they print the time of one or how many a second. */
function oneOf(figure: string): number {
  const value = Number(figure);
  return value < 1 ? value : 1 / value;
}

function nodeLoop(): Side {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const data = randomBytes(400);
  return {
    name: `limit: sign and verify in Node (OpenSSL ${process.versions.openssl})`,
    run: (seconds) =>
      saturate(seconds, 1, () => {
        if (!verify('sha256', data, publicKey, sign('sha256', data, privateKey)))
          throw new Error('not verified');
      }),
  };
}
