import { type Command, InvalidArgumentError } from 'commander';
import type { CanaryOrder, RotationStatus } from '../../gen/citadel/v1/operator.ts';
import { seconds } from '../options.ts';

interface CanaryOptions {
  readonly canary: readonly string[];
  readonly watch: number;
  readonly allowFailures: number;
  readonly auto: boolean;
}

export function addCanaryOptions(command: Command): Command {
  return command
    .option(
      '--canary <selector>',
      'give it first to these alone: 5%, namespace=a,sa=b, or a SPIFFE ID, open at the end with /*; may be repeated',
      (text: string, before: readonly string[]) => [...before, text],
      [],
    )
    .option('--watch <duration>', 'for which each of them is watched (default: 10m)', seconds, 0)
    .option('--allow-failures <number>', 'failed handshakes more than before that each may have', count, 0)
    .option('--auto', 'go on by itself at the end of the watch', false);
}

/** @returns undefined where none is asked for */
export function canaryOrder(command: Command): CanaryOrder | undefined {
  const { canary, watch, allowFailures, auto } = command.opts<CanaryOptions>();
  if (canary.length === 0) {
    if (watch > 0 || allowFailures > 0 || auto)
      command.error('error: --watch, --allow-failures and --auto say how --canary goes: name whom it is for');
    return undefined;
  }
  return {
    selectors: [...canary],
    watchSeconds: BigInt(Math.ceil(watch)),
    allowedFailures: allowFailures,
    auto,
  };
}

/** As they are given again. */
export function canaryOptions({ selectors, watchSeconds, allowedFailures, auto }: CanaryOrder): string[] {
  return [
    ...selectors.flatMap((selector) => ['--canary', `'${selector}'`]),
    ...(watchSeconds === 0n ? [] : ['--watch', `${watchSeconds}s`]),
    ...(allowedFailures === 0 ? [] : ['--allow-failures', String(allowedFailures)]),
    ...(auto ? ['--auto'] : []),
  ];
}

export function describeCanary({ selectors, watchSeconds, allowedFailures, auto }: CanaryOrder): string {
  const watch = watchSeconds === 0n ? '10 minutes' : `${watchSeconds} s`;
  const end = auto ? 'then to all by itself' : 'then to all by `citadel rotate continue`';
  return `It goes first to ${selectors.join(' and ')}, each watched for ${watch} (${allowedFailures} failed handshakes allowed), ${end}.`;
}

/** Whom it is given to first, while that is so; empty: it is given to all. */
export function canaryText({ phase, canary }: RotationStatus): string {
  return canary && phase === 'canary' ? describeCanary(canary) : '';
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('must be a number from 0 to 999999');
  return Number(text);
}
