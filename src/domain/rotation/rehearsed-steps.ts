import { isCitadelError, toCitadelError } from '../../kernel/index.ts';

export interface RehearsedStep {
  readonly name: string;
  readonly result: 'done' | 'failed' | 'skipped';
  readonly detail: string;
  /** What mends it; empty: nothing is to be mended. */
  readonly mend: string;
}

/** What a step gave, and what is to be said of it. */
export interface Done<T> {
  readonly value: T;
  readonly detail: string;
}

type Needed = readonly (Done<unknown> | undefined)[];
type ValuesOf<N extends Needed> = { [K in keyof N]: N[K] extends Done<infer T> | undefined ? T : never };

/** Steps in order, of which one that needs what failed is skipped. */
export class Steps {
  readonly list: RehearsedStep[] = [];

  /** @returns what the step gave; undefined where it failed or was skipped */
  async do<const N extends Needed, T>(
    name: string,
    needed: N,
    work: (values: ValuesOf<N>) => Promise<Done<T>>,
  ): Promise<Done<T> | undefined> {
    if (needed.includes(undefined)) {
      this.list.push({ name, result: 'skipped', detail: 'it needs a step that was not done', mend: '' });
      return undefined;
    }
    try {
      // None of them is undefined, as was just seen, which the type of a mapped tuple cannot say.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const done = await work(needed.map((each) => each?.value) as unknown as ValuesOf<N>);
      this.list.push({ name, result: 'done', detail: done.detail, mend: '' });
      return done;
    } catch (error) {
      const { message, details = '' } = toCitadelError(error);
      // What went wrong within Citadel is for the log alone.
      const mend = isCitadelError(error) && !isCitadelError(error, 'Internal') ? details : '';
      this.list.push({ name, result: 'failed', detail: message, mend: mend.replaceAll(/\s+/g, ' ') });
      return undefined;
    }
  }
}
