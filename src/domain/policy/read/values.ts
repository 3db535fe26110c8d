import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { mend } from '../../../yaml/index.ts';

/** What bounds an object beside its size; as Istio's own where Istio has one. */
export const limits = {
  rules: 512,
  parts: 512,
  values: 4096,
  serviceAccounts: 16,
  targetRefs: 16,
  jwtRules: 4096,
  spaceDelimitedClaims: 64,
  labels: 4096,
  /** Each is filter chains of its own in a proxy under capture. */
  portModes: 64,
  textLength: 4096,
} as const;

export const text = () =>
  z
    .string()
    .min(1, { error: 'must not be empty', abort: true })
    .max(limits.textLength, {
      error: `must not be longer than ${limits.textLength} characters`,
      abort: true,
    });

/** A list that, where it is written, holds something: an empty one would silently match everything. */
export const list = <T extends z.ZodType>(item: T, most: number = limits.values) =>
  z
    .array(item)
    .min(1, 'must not be empty: leave the key out, or name at least one')
    .max(most, `must not hold more than ${most}`)
    .optional();

/** A list of which an empty one says no more than none. */
export const freeList = <T extends z.ZodType>(item: T, most: number = limits.values) =>
  z.array(item).max(most, `must not hold more than ${most}`).optional();

/** A text for which `faultOf` knows of no fault. */
export const checked = (faultOf: (value: string) => Fault | undefined) =>
  text().superRefine((value, context) => {
    const fault = faultOf(value);
    if (fault)
      context.addIssue({
        code: 'custom',
        message: fault.message,
        ...(fault.mend === undefined ? {} : mend(fault.mend)),
      });
  });

export interface Fault {
  readonly message: string;
  readonly mend?: string;
}

export function faultOfIpBlock(value: string): Fault | undefined {
  const [, address = '', slash = '', length = ''] = /^([^/%]+)(\/(0|[1-9]\d{0,2}))?$/.exec(value) ?? [];
  const version = isIP(address);
  if (version !== 0 && (slash === '' || Number(length) <= (version === 4 ? 32 : 128))) return undefined;
  return {
    message: `${JSON.stringify(value)} is no IP address and no CIDR`,
    mend: isIPv4(value.replace(/\.?\*$/, '.0'))
      ? 'IP blocks know no wildcards: write a CIDR, as 10.1.0.0/16'
      : 'write it as 10.1.2.3, 10.1.0.0/16, 2001:db8::1 or 2001:db8::/32',
  };
}

/** From 0, as Istio states it, which nobody can call; zeros in front say nothing. */
export function faultOfPort(value: string): Fault | undefined {
  if (/^\d{1,10}$/.test(value) && Number(value) <= 65_535) return undefined;
  return {
    message: `${JSON.stringify(value)} is no port`,
    mend: 'ports are single numbers from 0 to 65535, without wildcards and ranges',
  };
}

/** What a proxy can compare of an end that is left open to the front. */
const longestTrustDomainEnd = 64;

/** A trust domain alone: exact, by its beginning or end, or `*`. */
export function faultOfTrustDomain(value: string): Fault | undefined {
  const stars = value.split('*').length - 1;
  const told = JSON.stringify(value);
  if (value.includes('/'))
    return {
      message: `${told} is more than a trust domain`,
      mend: `write ${JSON.stringify(value.replace(/^spiffe:\/\//, '').split('/', 1)[0])}, or match principals`,
    };
  if (stars > 1 || (stars === 1 && !value.startsWith('*') && !value.endsWith('*')))
    return {
      message: `${told} holds a * that is no wildcard`,
      mend: 'write one *, at the beginning or at the end',
    };
  if (value.startsWith('*') && Buffer.byteLength(value) > longestTrustDomainEnd + 1)
    return {
      message: `${told} is a longer end than a proxy can compare`,
      mend: `name the trust domain whole, or ${longestTrustDomainEnd} characters of its end`,
    };
  return undefined;
}

/** RFC 9110 5.6.2: what names of headers and methods are made of; `*` is among it. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export function faultOfMethod(value: string): Fault | undefined {
  if (token.test(value)) return undefined;
  return {
    message: `${JSON.stringify(value)} can be no HTTP method`,
    mend: 'write one method an entry, as ["GET", "POST"]',
  };
}

export function faultOfHeaderName(value: string): Fault | undefined {
  return token.test(value) ? undefined : { message: `${JSON.stringify(value)} can be no name of a header` };
}

/** RFC 1123: what Kubernetes takes as the name of a namespace. */
export const dnsLabel = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export function isDnsSubdomain(value: string): boolean {
  return value.length <= 253 && value.split('.').every((label) => dnsLabel.test(label));
}

/** `<service account>` or `<namespace>/<service account>`. */
export function faultOfServiceAccount(value: string): Fault | undefined {
  if (value.includes('*'))
    return {
      message: 'service accounts know no wildcards',
      mend: 'name each one, or match namespaces or principals',
    };
  const parts = value.split('/');
  const account = parts.at(-1) ?? '';
  const namespace = parts.length === 2 ? (parts[0] ?? '') : 'default';
  if (parts.length <= 2 && isDnsSubdomain(account) && dnsLabel.test(namespace)) return undefined;
  return {
    message: `${JSON.stringify(value)} is no service account`,
    mend: 'write NAME, for one of the policy’s own namespace, or NAMESPACE/NAME',
  };
}
