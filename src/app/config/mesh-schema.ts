import { z } from 'zod';
import { name } from './attestation-schema.ts';
import { duration, type FieldContext, path, trustDomain } from './fields.ts';

const serviceReference = z
  .string()
  .regex(
    /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be <namespace>/<service>',
  );

const dnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/,
    'must be a DNS name in lower case',
  );

const authorizationProvider = z.strictObject({
  name: z.string().min(1).max(253).describe('as CUSTOM policies name it'),
  protocol: z.enum(['grpc', 'http']),
  service: serviceReference,
  port: z.int().min(1).max(65_535),
  timeout: duration('1ms', '1m').prefault('600ms'),
  failOpen: z.boolean().prefault(false).describe('let a call pass when the provider cannot be asked'),
  pathPrefix: z.string().max(1024).prefault('').describe('http alone: put before the request’s own path'),
  includeHeaders: z.array(z.string().min(1).max(256)).max(64).prefault([]),
  bodyBytes: z.int().min(0).max(1_048_576).prefault(0).describe('of the request’s body that go along'),
});

/** Where the server fetches the keys of RequestAuthentications that do not bring their own. */
const jwks = (context: FieldContext) =>
  z.strictObject({
    allow: z
      .array(
        z
          .string()
          .max(260)
          .regex(
            /^(?:(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
            'must be HOST, HOST:PORT or *.DOMAIN',
          ),
      )
      .max(256)
      .prefault([])
      .describe('hosts that may be asked, by policies’ jwksUri and by discovery; none by default'),
    allowPrivate: z
      .boolean()
      .prefault(false)
      .describe('connect to private addresses (RFC 1918, 100.64.0.0/10, fc00::/7)'),
    allowLoopback: z.boolean().prefault(false).describe('connect to this machine'),
    allowHttp: z.boolean().prefault(false).describe('without TLS; development only'),
    caFile: path(context).optional().describe('PEM; trusted beside the roots of the process'),
    refresh: duration('1s', '7d').prefault('20m').describe('after which keys are read again'),
  });

/** What the control plane does with a cluster beside following it. */
const kubernetesSchema = (context: FieldContext) =>
  z.strictObject({
    clusterDomain: dnsName.prefault('cluster.local').describe('of the clusters’ DNS'),
    webhook: z
      .strictObject({
        configuration: name
          .prefault('citadel-policies')
          .describe('the ValidatingWebhookConfiguration whose caBundle is kept current'),
        keepBundle: z.boolean().prefault(true).describe('false: caBundle is somebody else’s to write'),
        clientAuthorities: path(context)
          .optional()
          .describe(
            'PEM: only callers with a certificate issued by one of them may ask, and they are told more; read again whenever the server’s own certificate is renewed',
          ),
        clientNames: z
          .array(z.string().min(1).max(253))
          .max(16)
          .prefault([])
          .describe('common names of which one must be the caller’s; default: any'),
      })
      .prefault({}),
    policyStatus: z
      .boolean()
      .prefault(true)
      .describe('write into each policy’s status whether it is accepted, and how many proxies have it'),
  });

const tls = z.strictObject({
  postQuantum: z
    .boolean()
    .prefault(true)
    .describe('proxies prefer X25519MLKEM768 for the agreement of keys; false: X25519 and P-256 alone'),
  minimumVersion: z
    .enum(['1.3', '1.2'])
    .prefault('1.3')
    .describe('of TLS between proxies; 1.2 only for callers that cannot do better'),
});

const outlierDetection = z.strictObject({
  consecutive5xx: z
    .int()
    .min(1)
    .max(1000)
    .prefault(5)
    .describe('replies of 5xx, or failures to connect, in a row'),
  interval: duration('100ms', '1h').prefault('10s').describe('between two looks at endpoints left out'),
  baseEjectionTime: duration('100ms', '1h')
    .prefault('30s')
    .describe('that an endpoint is left out, times how often it has been'),
  maxEjectionPercent: z
    .int()
    .min(1)
    .max(100)
    .prefault(10)
    .describe('of a service’s endpoints that may be left out at once; one always may'),
});

/** The control plane: what proxies are configured from. */
export const meshSchema = (context: FieldContext) =>
  z.strictObject({
    rootNamespace: name.prefault('istio-system').describe('policies there hold for the whole mesh'),
    trustDomainAliases: z
      .array(trustDomain())
      .max(16)
      .prefault([])
      .describe('earlier names of this trust domain, for a move from one to another'),
    connectionLifetime: duration('1s', '30d')
      .optional()
      .describe(
        'the most that a connection lasts, and twice what a stream on it does; default: certificate.defaultTtl',
      ),
    accessLog: z
      .strictObject({
        sample: z
          .number()
          .min(0)
          .max(100)
          .prefault(1)
          .describe('percent of the allowed calls by mutual TLS; plaintext and denials are logged each'),
      })
      .prefault({}),
    tls: tls.prefault({}),
    outlierDetection: outlierDetection
      .optional()
      .describe('callers leave out an endpoint that keeps failing them; default: they do not'),
    authorizationProviders: z.array(authorizationProvider).max(64).prefault([]),
    jwks: jwks(context).prefault({}).describe('keys that the server fetches for proxies to verify tokens'),
    sources: z
      .strictObject({
        files: z
          .strictObject({ directory: path(context) })
          .optional()
          .describe('workloads, services and policies in YAML files, watched'),
        kubernetes: kubernetesSchema(context)
          .optional()
          .describe('services, pods and policies of each cluster in attestation.kubernetes'),
      })
      .refine((sources) => Object.values(sources).some((source) => source !== undefined), {
        message: 'at least one of files and kubernetes is needed',
      }),
  });
