import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../../src/kernel/index.ts';

export interface WaitOptions {
  /** Milliseconds after which waiting fails; 30 000 by default. */
  readonly deadline?: number;
  /** Milliseconds between two looks; 50 by default. */
  readonly interval?: number;
  /** What is waited for, for the error: "the listener is up". */
  readonly what?: string;
  readonly signal?: AbortSignal;
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value);
}

/**
 * Polls `condition` until it gives a truthy value and returns that. A condition that throws counts as "not yet"; its
 * last error is the cause, and part of the message, when the deadline passes. A condition that never settles is cut off.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { deadline = 30_000, interval = 50, what, signal }: WaitOptions = {},
): Promise<Truthy<T>> {
  const end = performance.now() + deadline;
  let last: unknown;
  do {
    signal?.throwIfAborted();
    try {
      const value = await withinDeadline(condition, end - performance.now());
      if (isTruthy(value)) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await delay(interval, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  } while (performance.now() < end);
  signal?.throwIfAborted();
  const reason = last === undefined ? '' : `; last error: ${describeError(last)}`;
  const wanted = what ?? condition.toString().slice(0, 200);
  throw new Error(`waited ${deadline} ms in vain for ${wanted}${reason}`, { cause: last });
}

async function withinDeadline<T>(condition: () => T | Promise<T>, remaining: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error('the condition did not answer in time')),
      Math.max(remaining, 1),
    );
  });
  try {
    return await Promise.race([condition(), expiry]);
  } finally {
    clearTimeout(timer);
  }
}
