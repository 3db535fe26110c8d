import { CitadelError } from '../../../kernel/index.ts';
import { isRecord } from '../api/index.ts';

/** One object of a collection, as it is kept over a restart. */
export interface KeptObject {
  /** `<namespace>/<name>`. */
  readonly key: string;
  readonly uid: string;
  /** What it is read from. */
  readonly slim: unknown;
}

/** @throws CitadelError DataLoss where the content is no such list */
export function readKept(content: unknown): readonly KeptObject[] {
  if (!Array.isArray(content)) throw notKept();
  return content.map((each: unknown) => {
    if (!isRecord(each)) throw notKept();
    const { key, uid, slim } = each;
    if (typeof key !== 'string' || typeof uid !== 'string') throw notKept();
    return { key, uid, slim };
  });
}

function notKept(): CitadelError {
  return new CitadelError('DataLoss', 'it is no list of objects');
}
