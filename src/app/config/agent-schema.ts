import { z } from 'zod';
import { name } from './attestation-schema.ts';
import { address, duration, exactlyOne, type FieldContext, path, trustDomain } from './fields.ts';

const fingerprint = z
  .string()
  .regex(/^[0-9a-fA-F]{2}(?::?[0-9a-fA-F]{2}){31}$/, 'must be the SHA-256 of a root certificate, hexadecimal')
  .transform((text) => text.replaceAll(':', '').toLowerCase());

const signalName = z.enum(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM']);

/** Who may connect to the agent's socket, by the kernel's word. */
const peersSchema = z.strictObject({
  userIds: z.array(z.int().min(0).max(4_294_967_294)).max(64).optional().describe('default: the agent’s own'),
});

/** The agent's configuration. */
export const agentSchema = (context: FieldContext) =>
  z.strictObject({
    trustDomain: trustDomain(),
    server: z.strictObject({
      address: address().describe('the server’s CSR listener'),
      name: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe('the name that its certificate must have; default: the host'),
      trust: exactlyOne({
        bundleFile: path(context).describe('PEM roots; read again when it changes'),
        pin: fingerprint.describe('of a root that the server must present'),
      }).describe('first trust in the server; never on first use'),
      timeout: duration('100ms', '5m').prefault('10s').describe('of one call'),
    }),
    token: z
      .strictObject({ file: path(context).prefault('/var/run/secrets/tokens/istio-token') })
      .optional()
      .describe('read again at every use'),
    clusterId: name.prefault('Kubernetes'),
    certificate: z
      .strictObject({
        ttl: duration('1s', '365d').prefault('24h'),
        algorithm: z.enum(['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048']).prefault('ecdsa-p256'),
      })
      .prefault({}),
    socket: z.strictObject({ path: path(context).prefault('/run/citadel/agent.sock') }).prefault({}),
    peers: peersSchema.prefault({}),
    envoy: z
      .strictObject({
        adminSocket: path(context).optional().describe('its /certs tells what is in use; mode 0600'),
        drain: duration('0s', '10m')
          .prefault('10s')
          .describe('what open connections get when --exec is stopped'),
        controlPlane: z
          .strictObject({
            workload: z
              .string()
              .regex(/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/)
              .optional()
              .describe('the name of this workload in the registry, where others have the same identity'),
          })
          .optional()
          .describe('an Envoy run by --exec has its listeners, clusters and policies from the server'),
      })
      .optional(),
    files: z
      .strictObject({
        directory: path(context).describe('key, chain and bundle are replaced together, by one rename'),
        afterRenewal: exactlyOne({
          command: z.array(z.string().min(1).max(4096)).min(1).max(64),
          signal: z.strictObject({ pidFile: path(context), signal: signalName.prefault('SIGHUP') }),
        }).optional(),
      })
      .optional(),
    metrics: address().optional().describe('/livez, /readyz and /metrics, plain HTTP; default: none'),
    log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info') }).prefault({}),
  });

export type AgentConfig = z.output<ReturnType<typeof agentSchema>>;
