import { describe, expect, it } from 'vitest';
import { createLog, type LogLevel } from '../../../src/adapters/logging/index.ts';
import { CitadelError, type Log, Secret } from '../../../src/kernel/index.ts';

function written(level: LogLevel, act: (log: Log) => void): readonly Record<string, unknown>[] {
  const lines: string[] = [];
  act(
    createLog({
      level,
      stream: { write: (line: string) => lines.push(line) },
      fields: { component: 'server' },
    }),
  );
  return lines.map((line): Record<string, unknown> => JSON.parse(line));
}

describe('createLog', () => {
  it('writes one JSON object a line, from its level on', () => {
    const lines = written('info', (log) => {
      log.debug('no');
      log.with({ peer: 'p' }).info('yes', { count: 1 });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      message: 'yes',
      component: 'server',
      peer: 'p',
      count: 1,
    });
    expect(Date.parse(String(lines[0]?.['time']))).not.toBeNaN();
  });

  it('does not print a secret, however deep', () => {
    const lines = written('info', (log) =>
      log.info('x', { token: new Secret('hunter2'), in: { a: [new Secret('hunter2')] } }),
    );
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines[0]).toMatchObject({ token: '[redacted]', in: { a: ['[redacted]'] } });
  });

  it('writes what an error says and why, not what clients hang on it', () => {
    const cause = Object.assign(new Error('connect failed'), {
      code: 'ECONNREFUSED',
      config: { headers: { authorization: 'Bearer hunter2' } },
      response: { body: 'hunter2' },
    });
    const error = new CitadelError('Unavailable', 'the API server is away', { details: 'cluster a', cause });
    const [line] = written('error', (log) => log.error('failed', { error, reason: error }));
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line).toMatchObject({
      error: {
        code: 'Unavailable',
        details: 'cluster a',
        cause: { message: 'connect failed', code: 'ECONNREFUSED' },
      },
      reason: { message: 'the API server is away' },
    });
  });

  it('ends at causes that go round', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(written('error', (log) => log.error('x', { error }))).toHaveLength(1);
  });
});
