import { createHash, timingSafeEqual } from 'node:crypto';
import { CitadelError } from '../../../kernel/index.ts';

const largestPage = 1000;
const positionBytes = 8;
const digestBytes = 8;

/** @throws CitadelError InvalidArgument unless it is an integer from 1 to 1000 */
export function validLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage)
    throw new CitadelError('InvalidArgument', `the page size must be from 1 to ${largestPage}`);
  return limit;
}

/**
 * Writes where the next page begins: the sequence number of the last row and a digest that binds it to its query, so
 * that a token of another query is refused rather than answered with a wrong page. It protects no secret.
 */
export function pageToken(sequence: number, query: readonly unknown[]): string {
  const position = Buffer.alloc(positionBytes);
  position.writeBigUInt64BE(BigInt(sequence));
  return Buffer.concat([position, digest(position, query)]).toString('base64url');
}

/** @returns the sequence number @throws CitadelError InvalidArgument for any token that is not of this query */
export function readPageToken(token: string, query: readonly unknown[]): number {
  const bytes = /^[\w-]{22}$/.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  const position = bytes.subarray(0, positionBytes);
  if (
    bytes.length !== positionBytes + digestBytes ||
    !timingSafeEqual(bytes.subarray(positionBytes), digest(position, query))
  )
    throw new CitadelError(
      'InvalidArgument',
      'the page token is not one of this query: begin with the first page',
    );
  return Number(position.readBigUInt64BE());
}

function digest(position: Buffer, query: readonly unknown[]): Buffer {
  return createHash('sha256')
    .update(position)
    .update(JSON.stringify(query))
    .digest()
    .subarray(0, digestBytes);
}
