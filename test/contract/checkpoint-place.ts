import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointPlace } from '../../src/domain/ports/index.ts';

const signal = () => AbortSignal.timeout(10_000);
const note = (size: number) =>
  `example.org/audit/1\n${size}\nroot\n\n\u2014 example.org/audit/1 c2lnbmF0dXJl\n`;

export interface PlaceHome extends AsyncDisposable {
  /** The same place, as another process would open it. */
  open(): Promise<CheckpointPlace>;
}

/** What every place does that can be read back. @param make gives one where nothing was ever kept */
export function checkpointPlaceContract(name: string, make: () => Promise<PlaceHome>): void {
  describe(`checkpoint place contract: ${name}`, () => {
    let home: PlaceHome;
    let place: CheckpointPlace;
    beforeEach(async () => {
      home = await make();
      place = await home.open();
    });
    afterEach(async () => {
      await place.close();
      await home[Symbol.asyncDispose]();
    });

    test('keeps none at first', async () => {
      expect(await place.last?.(signal())).toBeUndefined();
    });

    test('gives the last of many back, byte by byte, to another process too', async () => {
      let after: string | undefined;
      for (const size of [1, 2, 30, 400]) {
        await place.put(note(size), after, signal());
        after = note(size);
        expect(await place.last?.(signal())).toBe(after);
      }
      const other = await home.open();
      expect(await other.last?.(signal())).toBe(note(400));
      await other.put(note(401), note(400), signal());
      expect(await place.last?.(signal())).toBe(note(401));
      await other.close();
    });

    test('writes nothing where another wrote meanwhile, and nothing over what it does not know', async () => {
      await place.put(note(1), undefined, signal());
      const other = await home.open();
      await expect(other.put(note(9), undefined, signal())).rejects.toMatchObject({ code: 'Aborted' });
      await other.put(note(2), note(1), signal());
      await expect(place.put(note(3), note(1), signal())).rejects.toMatchObject({ code: 'Aborted' });
      expect(await place.last?.(signal())).toBe(note(2));
      await place.put(note(3), note(2), signal());
      expect(await other.last?.(signal())).toBe(note(3));
      await other.close();
    });
  });
}
