import { isAbsolute, resolve } from 'node:path';
import { TrustDomain } from '@citadel/spiffe';
import { z } from 'zod';
import { describeError, parseAddress, parseDuration, type Secret } from '../../kernel/index.ts';

/** What reading a configuration needs from the outside. */
export interface FieldContext {
  /** Relative paths in the file are relative to the file. */
  readonly directory: string;
  /** @throws CitadelError naming what cannot be read */
  readSecret(reference: SecretReference): Secret<string>;
}

export type SecretReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

/** Milliseconds, out of `90s`, `1h30m`, `24h`, `7d`. */
export const duration = (minimum = '1s', maximum = '36500d') =>
  z
    .string()
    .meta({ description: 'a duration such as 90s, 1h30m, 24h or 7d', examples: ['24h'] })
    .transform((text, context) => {
      try {
        const milliseconds = parseDuration(text);
        if (milliseconds >= parseDuration(minimum) && milliseconds <= parseDuration(maximum))
          return milliseconds;
        context.addIssue(`must be between ${minimum} and ${maximum}, not ${text}`);
      } catch (error) {
        context.addIssue(describeError(error));
      }
      return z.NEVER;
    });

export const address = () =>
  z
    .string()
    .meta({ description: 'HOST:PORT or [IPv6]:PORT', examples: ['0.0.0.0:15012'] })
    .transform((text, context) => {
      const parsed = parseAddress(text);
      if (parsed) return parsed;
      context.addIssue(
        `not an address: ${JSON.stringify(text)}; write it as HOST:PORT, for example 127.0.0.1:15012`,
      );
      return z.NEVER;
    });

export const trustDomain = () =>
  z.string().transform((text, context) => {
    try {
      if (text.includes('://')) context.addIssue('must be a bare name such as example.org, not a SPIFFE ID');
      return TrustDomain.parse(text);
    } catch (error) {
      context.addIssue(describeError(error));
      return z.NEVER;
    }
  });

/** An absolute path. */
export const path = (context: FieldContext) =>
  z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0]*$/, 'must not hold a NUL')
    .transform((text) => (isAbsolute(text) ? text : resolve(context.directory, text)));

export const url = (protocols: readonly string[]) =>
  z.string().transform((text, context) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
      context.addIssue(
        `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')} and holds no password`,
      );
      return z.NEVER;
    }
    return text;
  });

type Shapes = Readonly<Record<string, z.ZodType>>;

/** One of several named alternatives: `{disk: {...}}` becomes `{kind: 'disk', value: {...}}`. */
export type Choice<S extends Shapes> = {
  [K in keyof S & string]: { readonly kind: K; readonly value: z.output<S[K]> };
}[keyof S & string];

/** Exactly one key of `shapes`. Unlike a union, a mistake within the chosen one is reported at its own place. */
export function exactlyOne<S extends Shapes>(shapes: S) {
  const names = Object.keys(shapes);
  const optional = Object.fromEntries(names.map((name) => [name, shapes[name]?.optional() ?? z.never()]));
  return z
    .strictObject(optional)
    .meta({ minProperties: 1, maxProperties: 1 })
    .transform((value, context): Choice<S> => {
      const given = Object.entries(value).filter(([, part]) => part !== undefined);
      const [first] = given;
      // The keys and their values come from `shapes` itself, which the type of a dynamic object cannot say.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      if (first && given.length === 1) return { kind: first[0], value: first[1] } as Choice<S>;
      const found = given.length === 0 ? 'none is given' : `not ${given.map(([name]) => name).join(' and ')}`;
      context.addIssue(`exactly one of ${names.join(', ')} must be given; ${found}`);
      return z.NEVER;
    });
}

const environmentName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** `{file: PATH}` or `{env: NAME}`: secrets never stand in the configuration itself. */
export const secret = (context: FieldContext) =>
  exactlyOne({
    file: path(context),
    env: z.string().regex(environmentName, 'must be the name of an environment variable'),
  }).transform((choice, refinement) => {
    try {
      return context.readSecret(
        choice.kind === 'file' ? { kind: 'file', path: choice.value } : { kind: 'env', name: choice.value },
      );
    } catch (error) {
      refinement.addIssue(describeError(error));
      return z.NEVER;
    }
  });
