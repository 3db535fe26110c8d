import { z } from 'zod';
import { parseDuration } from '../../../kernel/index.ts';
import { mend } from '../../../yaml/index.ts';
import type { JwtRule, RequestAuthentication } from '../model.ts';
import { parseJwks } from './jwks.ts';
import type { ReadMeta } from './metadata.ts';
import { checkTargeting, readTargeting, targeting } from './target.ts';
import { checked, type Fault, faultOfHeaderName, limits, list, text, unsupported } from './values.ts';

const defaultTimeout = 5000;

function faultOfKeyUri(value: string): Fault | undefined {
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
    issuer: text(),
    audiences: list(text()),
    // Keys may be longer than other text; the object’s own size bounds them.
    jwks: z.string().min(1, 'must not be empty').optional(),
    jwksUri: checked(faultOfKeyUri).optional(),
    fromHeaders: list(z.strictObject({ name: checked(faultOfHeaderName), prefix: headerPrefix.optional() })),
    fromParams: list(text()),
    fromCookies: list(text()),
    outputPayloadToHeader: checked(faultOfHeaderName).optional(),
    outputClaimToHeaders: list(z.strictObject({ header: checked(faultOfOutputHeader), claim: text() })),
    forwardOriginalToken: z.boolean().optional(),
    timeout: checked(faultOfTimeout).optional(),
    spaceDelimitedClaims: unsupported(
      'claims other than scope and permission cannot be split at spaces: match their whole text',
    ),
  })
  .superRefine((rule, context) => {
    if (rule.jwks !== undefined && rule.jwksUri !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['jwksUri'],
        message: 'only one of jwks and jwksUri may be there',
        ...mend('leave out the one that is not to be used'),
      });
    const keys = rule.jwks === undefined ? [] : parseJwks(rule.jwks);
    if ('message' in keys)
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
    jwksUri: rule.jwksUri,
    fromHeaders: (rule.fromHeaders ?? []).map(({ name, prefix = '' }) => ({ name, prefix })),
    fromParams: rule.fromParams ?? [],
    fromCookies: rule.fromCookies ?? [],
    outputPayloadToHeader: rule.outputPayloadToHeader,
    outputClaimToHeaders: rule.outputClaimToHeaders ?? [],
    forwardOriginalToken: rule.forwardOriginalToken ?? false,
    timeout: rule.timeout === undefined ? defaultTimeout : parseDuration(rule.timeout),
  };
}
