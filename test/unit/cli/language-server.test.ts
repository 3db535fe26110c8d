import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createJudging } from '../../../src/cli/language-server/judging.ts';
import { worldSource } from '../../../src/cli/language-server/world-source.ts';
import type { PolicyWorld } from '../../../src/domain/policy/index.ts';
import { mesh, workload } from '../domain/policy/mesh.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('createJudging', () => {
  it('judges once its author rests, and the last one touched first', async () => {
    const judged: string[] = [];
    const judging = createJudging((document) => judged.push(document));
    for (const document of ['a', 'b', 'c']) judging.later(document);
    await vi.advanceTimersByTimeAsync(100);
    judging.later('a');
    judging.forget('b');
    await vi.advanceTimersByTimeAsync(100);
    expect(judged).toEqual(['c']);
    await vi.advanceTimersByTimeAsync(100);
    expect(judged).toEqual(['c', 'a']);
    for (const document of ['a', 'b', 'c']) judging.later(document);
    await vi.runAllTimersAsync();
    expect(judged).toEqual(['c', 'a', 'c', 'b', 'a']);
  });

  it('lets others in between two documents', async () => {
    const happened: string[] = [];
    const judging = createJudging((document) => {
      happened.push(document);
      // As an editor's question that arrives while it judges.
      setImmediate(() => happened.push(`answer during ${document}`));
    });
    for (const document of ['a', 'b']) judging.later(document);
    await vi.runAllTimersAsync();
    expect(happened).toEqual(['b', 'answer during b', 'a', 'answer during a']);
  });
});

describe('worldSource', () => {
  const world = mesh([workload('shop/web')]);
  const start = (load: () => Promise<PolicyWorld>) => {
    const told: string[] = [];
    let changes = 0;
    const source = worldSource(load);
    source.start({ changed: () => changes++, told: (message) => told.push(message) });
    return { source, told, changes: () => changes };
  };
  const settled = () => vi.advanceTimersByTimeAsync(0);

  it('says once why nothing is known, once that it is again, and takes the last that was known', async () => {
    let answer: () => Promise<PolicyWorld> = () => Promise.reject(new Error('away'));
    const { source, told, changes } = start(() => answer());
    await settled();
    source.refresh();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(told).toEqual(['what is there is not known: away']);
    expect(source.current()).toBeUndefined();
    answer = () => Promise.resolve(world);
    source.refresh();
    await settled();
    expect(told.at(-1)).toBe('what is there is known again');
    expect(changes()).toBe(1);
    answer = () => Promise.reject(new Error('gone'));
    source.refresh();
    await settled();
    expect(told.at(-1)).toBe('what is there is not known; the last that was known is taken: gone');
    expect(told).toHaveLength(3);
    expect(source.current()).toBe(world);
  });

  it('looks once more where somebody asks while it looks', async () => {
    const looks: ((found: PolicyWorld) => void)[] = [];
    const { source, changes } = start(() => new Promise((done) => looks.push(done)));
    source.refresh();
    source.refresh();
    expect(looks).toHaveLength(1);
    looks[0]?.(world);
    await settled();
    expect(looks).toHaveLength(2);
    looks[1]?.(world);
    await settled();
    expect(looks).toHaveLength(2);
    expect(changes()).toBe(2);
  });
});
