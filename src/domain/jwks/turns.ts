import { Limiter } from '../../kernel/index.ts';

export interface TurnsOptions {
  readonly atOnce: number;
  /** Of one provider: one that is slow, or of which very many key sets are wanted, must leave places to the others. */
  readonly ofOneProvider: number;
  readonly waiting: number;
}

/** Who may ask now. */
export class Turns {
  readonly #all: Limiter;
  readonly #options: TurnsOptions;
  readonly #providers = new Map<string, { readonly limiter: Limiter; users: number }>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#all = new Limiter(options.atOnce, options.waiting, busy);
  }

  /** @throws CitadelError Unavailable where the signal is aborted before its turn */
  async run<T>(provider: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const { ofOneProvider, waiting } = this.#options;
    const own = this.#providers.get(provider) ?? {
      limiter: new Limiter(ofOneProvider, waiting, busy),
      users: 0,
    };
    this.#providers.set(provider, own);
    own.users += 1;
    try {
      return await own.limiter.run(signal, () => this.#all.run(signal, task));
    } finally {
      own.users -= 1;
      if (own.users === 0) this.#providers.delete(provider);
    }
  }
}

const busy = 'too many key sets are fetched at once';
