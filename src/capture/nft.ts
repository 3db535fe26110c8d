import { execFile } from 'node:child_process';
import { CitadelError } from '../kernel/index.ts';
import { table } from './ruleset.ts';

const deadline = 10_000;
const largestOutput = 4 * 1024 * 1024;

/** Puts a ruleset in place, all of it or nothing. @throws CitadelError */
export async function applyRuleset(ruleset: string): Promise<void> {
  await nft(['-f', '-'], ruleset);
}

/** The table as the kernel has it. @throws CitadelError NotFound when there is none */
export async function liveRuleset(): Promise<string> {
  return await nft(['list', 'table', ...table.split(' ')]);
}

/** @throws CitadelError NotFound when there is none */
export async function removeRuleset(): Promise<void> {
  await nft(['delete', 'table', ...table.split(' ')]);
}

function nft(args: readonly string[], input = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(
      'nft',
      args,
      {
        timeout: deadline,
        killSignal: 'SIGKILL',
        maxBuffer: largestOutput,
        // Its messages are read below; and a user's PATH seldom has the directories of an administrator's programs.
        env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
      },
      (error, stdout, stderr) => {
        if (error) fail(explain(args[0], error, stderr));
        else done(stdout);
      },
    );
    // It may be gone before it reads; the exit code says why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** What went wrong, and what to do. @param asked the first word of nft's command */
export function explain(
  asked: string | undefined,
  error: { readonly code?: unknown; readonly killed?: boolean | undefined; readonly message: string },
  stderr: string,
): CitadelError {
  const details = (stderr.trim() || error.message).slice(0, 2_000);
  if (error.code === 'ENOENT')
    return new CitadelError('FailedPrecondition', 'nft is not installed; install the package nftables');
  if (error.killed === true) return new CitadelError('Unavailable', `nft did not end within ${deadline} ms`);
  if (stderr.includes('Operation not permitted') || stderr.includes('Permission denied'))
    return new CitadelError('PermissionDenied', 'capture needs root, or CAP_NET_ADMIN', { details });
  // Of a ruleset that is loaded it speaks of something in the kernel.
  if (asked !== '-f' && stderr.includes('No such file or directory'))
    return new CitadelError('NotFound', 'nothing is captured here: there is no table inet citadel');
  return new CitadelError('FailedPrecondition', 'nft refused; nothing was changed', { details });
}
