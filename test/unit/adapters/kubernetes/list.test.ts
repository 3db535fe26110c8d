import { expect, test } from 'vitest';
import { ApiClient, type ApiRequest, listAll } from '../../../../src/adapters/kubernetes/api/index.ts';
import { CitadelError, systemClock, systemEntropy } from '../../../../src/kernel/index.ts';

const access = {
  server: 'https://127.0.0.1:1',
  credentials: () => Promise.reject(new Error('nobody is asked')),
  close: () => undefined,
};

/** Of `total` objects; an answer with more than `most` of them is too long. */
class Pages extends ApiClient {
  readonly asked: number[] = [];
  readonly #total: number;
  readonly #most: number;

  constructor(total: number, most: number) {
    super({ access, timeout: 1000, clock: systemClock, entropy: systemEntropy });
    this.#total = total;
    this.#most = most;
  }

  override request({ query = {} }: ApiRequest) {
    const limit = Number(query['limit']);
    const from = Number(query['continue'] ?? 0);
    this.asked.push(limit);
    const items = Array.from({ length: Math.min(limit, this.#total - from) }, (_, index) => from + index);
    if (items.length > this.#most) return Promise.reject(new CitadelError('ResourceExhausted', 'too long'));
    const next = from + items.length < this.#total ? { continue: String(from + items.length) } : {};
    return Promise.resolve({ status: 200, body: { metadata: { resourceVersion: '7', ...next }, items } });
  }
}

const never = new AbortController().signal;

test('objects that are too large for one answer come in smaller pages, each of them once', async () => {
  const pages = new Pages(100, 10);
  const { items, resourceVersion } = await listAll(pages, '/x', {}, never);
  expect(items).toEqual(Array.from({ length: 100 }, (_, index) => index));
  expect(resourceVersion).toBe('7');
  expect(pages.asked.slice(0, 3)).toEqual([500, 63, 8]);
});

test('one that is too large by itself is an error', async () => {
  await expect(listAll(new Pages(1, 0), '/x', {}, never)).rejects.toMatchObject({
    code: 'ResourceExhausted',
  });
});
