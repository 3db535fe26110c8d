import { expect, test } from 'vitest';
import { KeptContent } from '../../../../src/domain/mesh/index.ts';
import type { Archive } from '../../../../src/domain/ports/index.ts';
import { CitadelError, silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { memoryArchive } from '../../../fakes/memory-archive.ts';
import { waitFor } from '../../../parts/index.ts';

const at = new Date(1_000);
const open = (archive: Archive, pause = 1) =>
  new KeptContent({ archive, id: 'x', pause, clock: systemClock, log: silentLog });

test('changes that follow each other are written once, and what is left at the close', async () => {
  const memory = memoryArchive();
  let saves = 0;
  const archive: Archive = { ...memory, save: (...given) => (saves++, memory.save(...given)) };
  const kept = open(archive, 20);
  for (let count = 1; count <= 5; count += 1) kept.keep(() => ({ content: count, at }));
  await waitFor(() => memory.kept.get('x')?.content === 5, { what: 'the last one to be written' });
  expect(saves).toBe(1);
  const slow = open(archive, 60_000);
  slow.keep(() => ({ content: 6, at }));
  await slow.close();
  expect(memory.kept.get('x')).toEqual({ content: 6, at });
});

test('a close says until when it was current, where that is news', async () => {
  const memory = memoryArchive();
  memory.kept.set('x', { content: 1, at });
  const kept = open(memory);
  expect(await kept.restore(Number)).toEqual({ value: 1, at });
  await kept.close({ content: 1, at: new Date(2_000) });
  expect(memory.kept.get('x')?.at).toEqual(at);
  const later = new Date(1_000_000);
  const next = open(memory);
  await next.restore(Number);
  await next.close({ content: 1, at: later });
  expect(memory.kept.get('x')?.at).toEqual(later);
});

test('what cannot be written is told, and tried again', async () => {
  const memory = memoryArchive();
  let full = true;
  const archive: Archive = {
    ...memory,
    save: (...given) =>
      full ? Promise.reject(new CitadelError('ResourceExhausted', 'full')) : memory.save(...given),
  };
  // A minute is a moment, so that the pause after a failure is none.
  const clock = { ...systemClock, sleep: (time: number) => systemClock.sleep(time / 60_000) };
  const kept = new KeptContent({ archive, id: 'x', pause: 1, clock, log: silentLog });
  kept.keep(() => ({ content: 1, at }));
  await waitFor(() => kept.problem === 'x is not kept over a restart: full', {
    what: 'the failure to be told',
  });
  full = false;
  await waitFor(() => kept.problem === undefined, { what: 'the next try' });
  expect(memory.kept.get('x')?.content).toBe(1);
  await kept.close();
});

test.each<[string, Archive['load']]>([
  ['damaged', () => Promise.reject(new CitadelError('DataLoss', 'is damaged'))],
  ['of a form that is not known', () => Promise.resolve({ content: 'is damaged', at })],
])('what is %s is told and left alone', async (_what, load) => {
  const archive = { ...memoryArchive(), load };
  const kept = open(archive);
  const refuse = (content: unknown): never => {
    throw new CitadelError('DataLoss', String(content));
  };
  expect(await kept.restore(refuse)).toBeUndefined();
  expect(kept.problem).toBe('what was kept of x is left alone: is damaged');
  await kept.close();
});
