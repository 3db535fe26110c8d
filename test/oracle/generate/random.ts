/** Numbers from a seed (sfc32), so that what was found once is found again. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, seed ^ 0x9e3779b9, 0x243f6a88, 1);
    for (let warm = 0; warm < 15; warm += 1) this.#next();
  }

  #next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state;
    const sum = (a + b + d) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + sum;
    this.#state[3] = d + 1;
    return sum;
  }

  /** From 0, below `end`. */
  int(end: number): number {
    return Math.floor((this.#next() / 2 ** 32) * end);
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  pick<T>(from: readonly T[]): T {
    const item = from[this.int(from.length)];
    if (item === undefined && from.length === 0) throw new Error('nothing to pick from');
    // A list of T may hold undefined, so the check above says no more than that the list is not empty.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return item as T;
  }

  /** Between `least` and `most` of them, drawn by `draw`. */
  list<T>(least: number, most: number, draw: () => T): T[] {
    return Array.from({ length: least + this.int(most - least + 1) }, draw);
  }

  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.int(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('nothing to choose from');
  }
}
