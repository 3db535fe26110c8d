import { z } from 'zod';
import { attestationSchema, name } from './attestation-schema.ts';
import { auditSchema } from './audit-schema.ts';
import { authoritySchema } from './authority-schema.ts';
import { consoleSchema } from './console-schema.ts';
import {
  address,
  duration,
  exactlyOne,
  type FieldContext,
  path,
  secret,
  trustDomain,
  url,
} from './fields.ts';
import { meshSchema } from './mesh-schema.ts';
import { pkcs11Token } from './pkcs11-schema.ts';
import { rotationSchema } from './rotation-schema.ts';
import { vaultConnection } from './vault-schema.ts';

const dnsOrIp = z
  .string()
  .max(253)
  .regex(
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*|[0-9A-Fa-f:.]+)$/,
    'must be a DNS name or an IP address',
  );

const defaultServingNames = [
  'istiod.istio-system.svc',
  'istiod.istio-system',
  'citadel.citadel-system.svc',
  'localhost',
  '127.0.0.1',
];

/** Where and how private keys on this machine's disk are kept. */
const diskKeys = (context: FieldContext) =>
  z.strictObject({
    directory: path(context).optional().describe('default: keys, below dataDirectory'),
    encryption: exactlyOne({ keyFile: path(context), passphrase: secret(context) }).describe(
      'keys are encrypted at rest with a key file (32 random bytes, mode 0600) or a passphrase',
    ),
  });

const listenSchema = (context: FieldContext) =>
  z.strictObject({
    csr: address().prefault('0.0.0.0:15012').describe('CSR and Sync services, TLS'),
    metrics: address().prefault('127.0.0.1:15014').describe('/livez, /readyz and /metrics, plain HTTP'),
    operator: address().prefault('127.0.0.1:8443').describe('operator API, TLS'),
    webhook: address()
      .prefault('0.0.0.0:15017')
      .describe(
        'for API servers that ask whether a policy is good, TLS; opened with mesh.sources.kubernetes',
      ),
    console: address()
      .prefault('127.0.0.1:8444')
      .describe('the console for browsers, TLS; opened with console'),
    operatorSocket: path(context)
      .optional()
      .describe('operator API for local users; default: operator.sock, below dataDirectory'),
  });

const operatorsSchema = (context: FieldContext) =>
  z.strictObject({
    certificateLifetime: duration('5m', '30d').prefault('12h').describe('of operator client certificates'),
    oidc: z
      .array(
        z.strictObject({
          issuer: url(['https:', 'http:']),
          audience: z.string().min(1).max(512),
          keys: exactlyOne({ jwksFile: path(context), jwksUri: url(['https:']) }),
          roleClaim: z
            .strictObject({
              claim: z.string().min(1).max(128).prefault('groups'),
              roles: z.record(z.string().min(1), z.enum(['viewer', 'author', 'operator'])),
            })
            .optional()
            .describe('a role by a claim of the token; without it roles are granted by subject'),
        }),
      )
      .max(16)
      .prefault([]),
  });

const publishSchema = z.strictObject({
  interval: duration('10s', '24h')
    .prefault('10m')
    .describe('how often what was published is looked at again'),
  configMap: z
    .strictObject({
      name: name.prefault('istio-ca-root-cert'),
      excludedNamespaces: z.array(name).max(1000).prefault(['kube-system', 'kube-public', 'kube-node-lease']),
    })
    .optional(),
  clusterTrustBundle: z
    .strictObject({ signerName: z.string().min(1).max(571).prefault('citadel.dev/mesh') })
    .optional(),
});

const limitsSchema = z.strictObject({
  messageBytes: z
    .int()
    .min(1024)
    .max(16_777_216)
    // An Envoy's first discovery request lists all that it was built with: 61 KiB of Envoy 1.40.
    .prefault(262_144)
    .describe('one request'),
  connections: z.int().min(1).max(100_000).prefault(10_000).describe('open at once, of one listener'),
  streamsPerConnection: z.int().min(1).max(10_000).prefault(100),
  callsPerSecondPerPeer: z.number().positive().max(100_000).prefault(50).describe('of one address'),
  handshakeTimeout: duration('100ms', '5m')
    .prefault('10s')
    .describe('from connecting to the end of the TLS handshake'),
  requestTimeout: duration('100ms', '5m').prefault('10s').describe('until a request has arrived whole'),
});

const backupSchema = z.strictObject({
  recipients: z
    .array(
      z
        .string()
        .max(4096)
        .regex(/^age1[0-9a-z]+$/, 'must be an age recipient: age1..., as citadel backup keygen prints it'),
    )
    .min(1)
    .max(16)
    .describe('who may open a backup: nobody else can, whoever asks for it'),
});

const certificateSchema = z.strictObject({
  defaultTtl: duration('1s', '365d').prefault('24h').describe('when the caller names none'),
  maximumTtl: duration('1s', '365d').prefault('24h').describe('asking for more is refused'),
  notBeforeSkew: duration('0s', '24h')
    .prefault('20m')
    .describe('how far leaves are back-dated: a workload whose clock is slower than that refuses them'),
});

/** Where a root's key may live. */
const rootKeys = (context: FieldContext) =>
  exactlyOne({
    disk: diskKeys(context),
    memory: z.strictObject({}).describe('lost at exit; development only'),
    vault: vaultConnection(context).extend({ mount: z.string().min(1).max(128).prefault('transit') }),
    pkcs11: pkcs11Token(context),
  });

/** The server's configuration. A factory, because secrets and relative paths are resolved while it is read. */
export const serverSchema = (context: FieldContext) =>
  z.strictObject({
    mode: z.enum(['production', 'development']).prefault('production'),
    trustDomain: trustDomain(),
    clusterId: name.prefault('Kubernetes').describe('the cluster meant by a caller that names none'),
    listen: listenSchema(context).prefault({}),
    servingNames: z.array(dnsOrIp).min(1).max(64).prefault(defaultServingNames),
    dataDirectory: path(context).prefault('/var/lib/citadel'),
    store: exactlyOne({
      sqlite: z.strictObject({
        file: path(context).optional().describe('default: citadel.db, below dataDirectory'),
      }),
    }).prefault({ sqlite: {} }),
    keys: rootKeys(context).describe('the home of the root key; of the next one, while roots are rotated'),
    formerKeys: rootKeys(context)
      .optional()
      .describe('where the key of the root is that is rotated away from, when that is another home'),
    issuingKeys: exactlyOne({
      disk: diskKeys(context),
      memory: z.strictObject({}).describe('lost at exit; development only'),
      pkcs11: pkcs11Token(context),
    })
      .optional()
      .describe(
        'the home of the issuing keys, local, for nothing is issued without it; needed unless keys is disk or memory',
      ),
    authority: authoritySchema(context).prefault({}),
    audit: auditSchema(context).prefault({}),
    rotation: rotationSchema.prefault({}),
    certificate: certificateSchema.prefault({}),
    attestation: attestationSchema(context),
    publish: publishSchema.prefault({}),
    mesh: meshSchema(context)
      .optional()
      .describe('the control plane, on the CSR listener: Envoys get listeners, clusters and policies'),
    backup: backupSchema.optional().describe('without it, no backup is made'),
    limits: limitsSchema.prefault({}),
    operators: operatorsSchema(context).prefault({}),
    console: consoleSchema(context)
      .optional()
      .describe('pages for operators and authors in a browser; without it, none are served'),
    experimental: z
      .strictObject({
        mlDsaAuthorities: z
          .boolean()
          .prefault(false)
          .describe('roots and issuing authorities of ML-DSA-65 (FIPS 204), which few clients verify yet'),
      })
      .prefault({})
      .describe('what may change from one version to the next'),
    log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info') }).prefault({}),
  });

export type ParsedServerConfig = z.output<ReturnType<typeof serverSchema>>;
