import { createHash } from 'node:crypto';
import { SpiffeId } from '@citadel/spiffe';
import { CitadelError } from '../../kernel/index.ts';
import type { RotationCanary } from '../ports/index.ts';
import type { BundleReader } from '../trust/index.ts';

/** Whom an operator means by one `--canary`. */
export type CanarySelector =
  /** So many of a hundred of the proxies that report. */
  | { readonly kind: 'share'; readonly percent: number }
  /** By the namespace and the service account of the SPIFFE ID; what is undefined may be anything. */
  | {
      readonly kind: 'workload';
      readonly namespace: string | undefined;
      readonly serviceAccount: string | undefined;
    }
  /** By the SPIFFE ID, or by how it begins. */
  | { readonly kind: 'spiffeId'; readonly text: string; readonly isPrefix: boolean };

export const mostSelectors = 16;
const longestSelector = 2048;

/**
 * Reads a selector: `5%`, `namespace=shop`, `sa=web`, `namespace=shop,sa=web`, `spiffe://example.org/ns/shop/sa/web`, or a
 * SPIFFE ID of which the end is left open after a slash, `spiffe://example.org/ns/shop/*`.
 * @throws CitadelError InvalidArgument that says what is wrong and what would be right
 */
export function parseSelector(text: string): CanarySelector {
  if (text.length > longestSelector) throw refused(text, `it is longer than ${longestSelector} characters`);
  if (text.endsWith('%')) return parseShare(text);
  if (text.startsWith('spiffe://')) return parseSpiffeId(text);
  return parseWorkload(text);
}

function parseShare(text: string): CanarySelector {
  if (!/^\d{1,2}(?:\.\d{1,3})?%$/.test(text) || Number(text.slice(0, -1)) === 0)
    throw refused(text, 'a share is above 0% and below 100%, as in 5% or 0.5%');
  return { kind: 'share', percent: Number(text.slice(0, -1)) };
}

function parseSpiffeId(text: string): CanarySelector {
  const isPrefix = text.endsWith('/*');
  const id = isPrefix ? text.slice(0, -'/*'.length) : text;
  try {
    SpiffeId.parse(id);
  } catch (cause) {
    const reason = 'it is no SPIFFE ID, nor one that ends in /* after a whole part of its path';
    throw refused(text, reason, cause);
  }
  return { kind: 'spiffeId', text: isPrefix ? `${id}/` : id, isPrefix };
}

const workloadField = /^(namespace|sa)=([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

function parseWorkload(text: string): CanarySelector {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const [, name, value] = workloadField.exec(part) ?? [];
    if (name === undefined || value === undefined || fields.has(name))
      throw refused(
        text,
        'write a share (5%), namespace=NAME, sa=NAME, both with a comma between, or a SPIFFE ID',
      );
    fields.set(name, value);
  }
  return { kind: 'workload', namespace: fields.get('namespace'), serviceAccount: fields.get('sa') };
}

function refused(text: string, reason: string, cause?: unknown): CitadelError {
  return new CitadelError('InvalidArgument', `the canary ${JSON.stringify(text.slice(0, 200))}: ${reason}`, {
    cause,
  });
}

/**
 * Where one of all proxies stands, from 0 to 1: the same in every process, and another one in each rotation, so that it is
 * not always the same workloads that go first.
 */
export function rankOf(proxyKey: string, rotationId: string): number {
  const digest = createHash('sha256').update(`${rotationId} ${proxyKey}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** The rank up to which a share goes: of those who are there now exactly that share, one at the least. */
export function shareUpTo(percent: number, proxyKeys: readonly string[], rotationId: string): number {
  const ranks = proxyKeys.map((key) => rankOf(key, rotationId)).toSorted((a, b) => a - b);
  const count = Math.ceil((percent * ranks.length) / 100);
  return ranks[count - 1] ?? percent / 100;
}

/** Whether a reader is given the new root before the others. Pure: what is stored decides. */
export function choiceOf(
  rotationId: string,
  { selectors, upTo }: Pick<RotationCanary, 'selectors' | 'upTo'>,
): (reader: BundleReader) => boolean {
  const parsed = selectors.map(parseSelector);
  return (reader) =>
    parsed.some((selector) =>
      selector.kind === 'share'
        ? upTo !== undefined && rankOf(reader.proxyKey, rotationId) <= upTo
        : isNamed(selector, reader.spiffeId),
    );
}

const workloadPath = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/;

function isNamed(selector: Exclude<CanarySelector, { kind: 'share' }>, spiffeId: string): boolean {
  if (selector.kind === 'spiffeId')
    return selector.isPrefix ? spiffeId.startsWith(selector.text) : spiffeId === selector.text;
  const [, namespace, serviceAccount] = workloadPath.exec(spiffeId) ?? [];
  if (namespace === undefined) return false;
  return (
    (selector.namespace === undefined || selector.namespace === namespace) &&
    (selector.serviceAccount === undefined || selector.serviceAccount === serviceAccount)
  );
}
