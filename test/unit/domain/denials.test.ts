import { describe, expect, test } from 'vitest';
import { createDenials } from '../../../src/domain/denials/index.ts';
import type { AccessLogEntry } from '../../../src/domain/ports/index.ts';
import { at, entry } from './evidence/samples.ts';

const limits = { inAll: 6, perWorkload: 4, perCaller: 2, kept: 1000 };

function denied(id: string, changes: Partial<AccessLogEntry> = {}): AccessLogEntry {
  const unknown = { remoteAddress: undefined, calleeAddress: undefined };
  return entry({ decision: 'denied', denial: { id, step: 'DENY', inexact: [], ...unknown }, ...changes });
}

function start() {
  const clock = { time: at(0), now: () => clock.time, sleep: () => Promise.resolve() };
  const denials = createDenials({ clock, policiesVersion: (workload) => `of ${workload}`, limits });
  const known = (...ids: readonly string[]) => ids.filter((id) => denials.get(id) !== undefined);
  return { clock, denials, known };
}

describe('denials', () => {
  test('are kept with what held then; calls without a name are not', () => {
    const { denials } = start();
    denials.add([entry(), entry({ decision: 'denied' }), denied('a', { path: '/x' })]);
    expect(denials.get('a')).toMatchObject({
      entry: { path: '/x', denial: { id: 'a' } },
      policiesVersion: 'of files/shop/orders',
    });
    expect(denials.get('b')).toBeUndefined();
  });

  test('the first word counts: whoever has learned a name cannot make it mean something else', () => {
    const { denials } = start();
    denials.add([denied('a', { workload: 'w1' }), denied('a', { workload: 'w2' })]);
    expect(denials.get('a')?.entry.workload).toBe('w1');
  });

  test('who floods a workload pushes out its own alone', () => {
    const { denials, known } = start();
    denials.add([denied('other', { callerAddress: '10.0.0.1' })]);
    for (let index = 0; index < 100; index += 1) denials.add([denied(`f${index}`)]);
    expect(known('other', 'f97', 'f98', 'f99')).toEqual(['other', 'f98', 'f99']);
  });

  test('many callers of one workload push out those of it, the oldest first', () => {
    const { denials, known } = start();
    denials.add([denied('elsewhere', { workload: 'w2' })]);
    for (let index = 0; index < 100; index += 1)
      denials.add([denied(`m${index}`, { callerAddress: `10.0.1.${index}` })]);
    expect(known('elsewhere', 'm95', 'm96', 'm97', 'm98', 'm99')).toEqual([
      'elsewhere',
      'm96',
      'm97',
      'm98',
      'm99',
    ]);
  });

  test('there are never more than so many in all', () => {
    const { denials, known } = start();
    const ids = Array.from({ length: 10 }, (_, index) => `w${index}`);
    for (const workload of ids) denials.add([denied(workload, { workload })]);
    expect(known(...ids)).toEqual(ids.slice(-limits.inAll));
  });

  test('go after their time, and make room', () => {
    const { clock, denials, known } = start();
    denials.add([denied('a')]);
    clock.time = at(0.9);
    denials.add([denied('b', { callerAddress: '10.0.0.1' })]);
    expect(known('a', 'b')).toEqual(['a', 'b']);
    clock.time = at(1);
    expect(known('a', 'b')).toEqual(['b']);
    // Of its two places one is free again: nothing that is still there gives way.
    denials.add([denied('c'), denied('d')]);
    expect(known('b', 'c', 'd')).toEqual(['b', 'c', 'd']);
  });
});
