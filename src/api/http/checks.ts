import { CitadelError, describeError, isCitadelError } from '../../kernel/index.ts';

/** One thing that must be well. */
export interface HealthCheck {
  readonly name: string;
  /**
   * Resolves when all is well, with a warning where something will not stay so; rejects when it is not.
   * A CitadelError's message is shown to whoever asks; of other errors only that they happened.
   */
  readonly check: (signal: AbortSignal) => Promise<undefined | { readonly warning: string }>;
}

export interface CheckResult {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly why?: string;
}

export interface ChecksResult {
  readonly healthy: boolean;
  readonly checks: readonly CheckResult[];
}

/** Runs all at the same time; one that is not done in time has failed. */
export async function runChecks(
  checks: readonly HealthCheck[],
  timeoutMilliseconds: number,
): Promise<ChecksResult> {
  const signal = AbortSignal.timeout(timeoutMilliseconds);
  const results = await Promise.all(checks.map((check) => runCheck(check, signal)));
  return { healthy: results.every((result) => result.state !== 'failed'), checks: results };
}

async function runCheck({ name, check }: HealthCheck, signal: AbortSignal): Promise<CheckResult> {
  let stop = () => {};
  try {
    const late = new Promise<never>((_, reject) => {
      stop = () => reject(new CitadelError('DeadlineExceeded', 'did not answer in time'));
      signal.addEventListener('abort', stop, { once: true });
    });
    const found = await Promise.race([check(signal), late]);
    return found ? { name, state: 'warning', why: found.warning } : { name, state: 'ok' };
  } catch (error) {
    const why = isCitadelError(error) ? describeError(error) : 'internal error; the server log has the cause';
    return { name, state: 'failed', why };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** One line a check, as kube-apiserver writes them. */
export function formatChecks(result: ChecksResult): string {
  const lines = result.checks.map(({ name, state, why }) => {
    const sign = state === 'ok' ? '[+]' : state === 'warning' ? '[!]' : '[-]';
    return `${sign}${name} ${state}${why ? `: ${why.replaceAll(/[\s\p{Cc}]+/gu, ' ')}` : ''}`;
  });
  return [...lines, result.healthy ? 'passed' : 'failed', ''].join('\n');
}
