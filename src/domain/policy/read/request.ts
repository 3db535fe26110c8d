import { z } from 'zod';
import { parseDuration } from '../../../kernel/index.ts';
import { mend } from '../../../yaml/index.ts';
import type { JwtRule, RequestAuthentication } from '../model.ts';
import { readInlineKeys } from './jwks.ts';
import type { ReadMeta } from './metadata.ts';
import { checkTargeting, readTargeting, targeting } from './target.ts';
import { checked, type Fault, faultOfHeaderName, freeList, limits, text } from './values.ts';

/** Bounds of Istio's own. */
const longestUri = 2048;
const defaultTimeout = 5000;

function faultOfKeyUri(value: string): Fault | undefined {
  if (value.length > longestUri) return { message: `must not be longer than ${longestUri} characters` };
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '')
    return { message: `${JSON.stringify(value)} is no URL of a key set`, mend: 'write https://HOST/PATH' };
  if (url.username !== '' || url.password !== '') return { message: 'must not hold a password' };
  return undefined;
}

function faultOfTimeout(value: string): Fault | undefined {
  try {
    if (parseDuration(value) >= 1) return undefined;
  } catch {
    // Told below.
  }
  return { message: `${JSON.stringify(value)} is no time to wait`, mend: 'write it as 5s or 500ms' };
}

function faultOfOutputHeader(value: string): Fault | undefined {
  return /^[-_A-Za-z0-9]+$/.test(value)
    ? undefined
    : { message: `${JSON.stringify(value)} may hold letters, digits, - and _ alone` };
}

/** Envoy refuses others, and with them all rules beside this one. */
const headerPrefix = z
  .string()
  .max(limits.textLength, `must not be longer than ${limits.textLength} characters`)
  // oxlint-disable-next-line no-control-regex
  .regex(/^[^\x00\r\n]*$/, 'must not hold line ends');

const jwtRule = z
  .strictObject({
    issuer: text().optional(),
    audiences: freeList(text()),
    // Keys may be longer than other text; the object’s own size bounds them.
    jwks: z.string().min(1, 'must not be empty').optional(),
    jwksUri: checked(faultOfKeyUri).optional(),
    // The same under the name that it has in the protocol.
    jwks_uri: checked(faultOfKeyUri).optional(),
    fromHeaders: freeList(
      z.strictObject({ name: checked(faultOfHeaderName), prefix: headerPrefix.optional() }),
    ),
    fromParams: freeList(text()),
    fromCookies: freeList(text()),
    outputPayloadToHeader: checked(faultOfHeaderName).optional(),
    outputClaimToHeaders: freeList(z.strictObject({ header: checked(faultOfOutputHeader), claim: text() })),
    forwardOriginalToken: z.boolean().optional(),
    timeout: checked(faultOfTimeout).optional(),
    spaceDelimitedClaims: freeList(text(), limits.spaceDelimitedClaims),
  })
  .superRefine((rule, context) => {
    const [, second] = (['jwks', 'jwksUri', 'jwks_uri'] as const).filter((key) => rule[key] !== undefined);
    if (second !== undefined)
      context.addIssue({
        code: 'custom',
        path: [second],
        message: 'only one of jwks and jwksUri may be there',
        ...mend('leave out the one that is not to be used'),
      });
    if (rule.issuer === undefined && rule.jwksUri === undefined && rule.jwks_uri === undefined)
      context.addIssue({
        code: 'custom',
        path: ['issuer'],
        message: 'is required where there is no jwksUri',
        ...mend('name whose tokens they are, as their iss claim has it'),
      });
    const keys = rule.jwks === undefined ? undefined : readInlineKeys(rule.jwks);
    if (keys && 'message' in keys)
      context.addIssue({
        code: 'custom',
        path: ['jwks'],
        message: keys.message,
        ...(keys.mend === undefined ? {} : mend(keys.mend)),
      });
    refuseTwice(rule.outputClaimToHeaders ?? [], context);
  });

function refuseTwice(outputs: readonly { readonly header: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { header }] of outputs.entries()) {
    const name = header.toLowerCase();
    if (seen.has(name))
      context.addIssue({
        code: 'custom',
        path: ['outputClaimToHeaders', index, 'header'],
        message: `the header ${header} is written twice`,
      });
    seen.add(name);
  }
}

export const requestSpec = z
  .strictObject({
    ...targeting,
    jwtRules: z
      .array(jwtRule)
      .max(limits.jwtRules, `must not hold more than ${limits.jwtRules} rules`)
      .optional(),
  })
  .superRefine(checkTargeting);

export function readRequestAuthentication(
  { meta }: ReadMeta,
  spec: z.output<typeof requestSpec>,
): RequestAuthentication {
  return {
    kind: 'RequestAuthentication',
    meta,
    ...readTargeting(spec),
    jwtRules: (spec.jwtRules ?? []).map(toRule),
  };
}

function toRule(rule: z.output<typeof jwtRule>): JwtRule {
  return {
    issuer: rule.issuer,
    audiences: rule.audiences ?? [],
    jwks: rule.jwks,
    jwksUri: rule.jwksUri ?? rule.jwks_uri,
    fromHeaders: (rule.fromHeaders ?? []).map(({ name, prefix = '' }) => ({ name, prefix })),
    fromParams: rule.fromParams ?? [],
    fromCookies: rule.fromCookies ?? [],
    outputPayloadToHeader: rule.outputPayloadToHeader,
    outputClaimToHeaders: rule.outputClaimToHeaders ?? [],
    forwardOriginalToken: rule.forwardOriginalToken ?? false,
    timeout: rule.timeout === undefined ? defaultTimeout : parseDuration(rule.timeout),
    spaceDelimitedClaims: rule.spaceDelimitedClaims ?? [],
  };
}
