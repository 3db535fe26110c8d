import { z } from 'zod';
import { duration, exactlyOne, type FieldContext, path } from './fields.ts';
import { vaultConnection } from './vault-schema.ts';

/** Algorithms that an issuing authority's key may have by itself; a root's may also be of ML-DSA. */
const classicAlgorithm = z.enum(['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048', 'rsa-3072', 'rsa-4096']);
const rootAlgorithm = z.enum([...classicAlgorithm.options, 'ml-dsa-65']);

const fraction = z.number().gt(0).lt(1);

const existingAuthority = (context: FieldContext) =>
  exactlyOne({
    istioCacerts: path(context).describe(
      'a directory with ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem',
    ),
    pem: z.strictObject({
      certificate: path(context),
      key: path(context)
        .optional()
        .describe('PEM, not encrypted; read at the first start. Absent where the key already is in its home'),
      keyId: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
        .optional()
        .describe('the id of the key in its home; default: imported- and 16 digits of the fingerprint'),
      chain: path(context).optional().describe('from the issuer of the certificate to below the root'),
      roots: path(context).describe('all roots that are to be trusted'),
    }),
  });

const upstreamAuthority = (context: FieldContext) =>
  exactlyOne({
    vaultPki: vaultConnection(context).extend({
      mount: z.string().min(1).max(128).prefault('pki'),
      issuer: z
        .string()
        .min(1)
        .max(128)
        .optional()
        .describe('issuer reference; default: the mount’s default issuer'),
    }),
  });

/** Where the trust root comes from, and how issuing authorities below it live. */
export const authoritySchema = (context: FieldContext) =>
  z
    .strictObject({
      root: z
        .strictObject({
          algorithm: rootAlgorithm
            .prefault('ecdsa-p256')
            .describe('ml-dsa-65 needs experimental.mlDsaAuthorities'),
          lifetime: duration('1h', '36500d').prefault('1825d'),
        })
        .optional()
        .describe('a new root, made at the first start (the default)'),
      existing: existingAuthority(context)
        .optional()
        .describe('an authority that exists already is taken over'),
      upstream: upstreamAuthority(context).optional().describe('another PKI signs the issuing authorities'),
      formerUpstream: upstreamAuthority(context)
        .optional()
        .describe('the PKI whose root is rotated away from, when it is no longer named by upstream'),
      issuing: z
        .strictObject({
          algorithm: classicAlgorithm
            .optional()
            .describe('default: ecdsa-p256; ml-dsa-65 under a root of ml-dsa-65'),
          lifetime: duration('10s', '3650d').prefault('7d'),
          prepareAt: fraction
            .prefault(0.5)
            .describe('share of the lifetime after which the next one is made'),
          activateAt: fraction
            .prefault(0.66)
            .describe('share of the lifetime after which the next one signs'),
        })
        .prefault({}),
    })
    .transform(({ root, existing, upstream, formerUpstream, issuing }, refinement) => {
      const given = Object.entries({ root, existing, upstream }).filter(([, value]) => value !== undefined);
      if (given.length > 1) {
        refinement.addIssue(
          `at most one of root, existing, upstream may be given; not ${given.map(([key]) => key).join(' and ')}`,
        );
        return z.NEVER;
      }
      const common = { issuing, formerUpstream };
      if (existing) return { ...common, origin: { kind: 'existing', value: existing } as const };
      if (upstream) return { ...common, origin: { kind: 'upstream', value: upstream } as const };
      const made = root ?? { algorithm: 'ecdsa-p256' as const, lifetime: 1825 * 86_400_000 };
      return { ...common, origin: { kind: 'root', value: made } as const };
    });
