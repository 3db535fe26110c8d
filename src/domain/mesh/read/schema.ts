import { isIP } from 'node:net';
import { z } from 'zod';

const dnsLabel = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a name of lower-case letters, digits and -');
const dnsSubdomain = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/,
    'must be a DNS name in lower case',
  );
const port = z.int().min(1).max(65_535);
const ip = z.string().refine((text) => isIP(text) !== 0, 'must be an IPv4 or IPv6 address');
const protocol = z.enum(['http', 'http2', 'tcp']);

/** `127.0.0.1:9080`, `[::1]:9080`. */
const socket = z.string().transform((text, context) => {
  const [, v6, v4, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = v6 ?? v4 ?? '';
  const number = Number(digits);
  if (isIP(address) !== 0 && number >= 1 && number <= 65_535) return { address, port: number };
  context.addIssue('must be an address and a port, as 127.0.0.1:9080 or [::1]:9080');
  return z.NEVER;
});

const reference = z
  .string()
  .regex(
    /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be <namespace>/<service>',
  );

const labels = z
  .record(z.string().min(1).max(317), z.string().max(63))
  .refine((all) => Object.keys(all).length <= 128, 'has more than 128 labels');

const metadata = z.strictObject({
  namespace: dnsLabel,
  name: dnsSubdomain,
  labels: labels.prefault({}),
});

/** `citadel.dev/v1 Workload`: an instance on a host that no platform describes. */
export const workloadSchema = z.strictObject({
  apiVersion: z.literal('citadel.dev/v1'),
  kind: z.literal('Workload'),
  metadata,
  spec: z.strictObject({
    serviceAccount: dnsSubdomain,
    addresses: z.array(ip).min(1).max(16),
    proxy: z.enum(['none', 'explicit', 'capture']).prefault('explicit'),
    ports: z
      .array(
        z.strictObject({
          port: port.describe('to which callers connect'),
          protocol: protocol.prefault('http'),
          application: socket
            .optional()
            .describe('where the application listens; default: 127.0.0.1 and this port'),
        }),
      )
      .max(256)
      .prefault([]),
    egress: z
      .array(
        z.strictObject({
          listen: socket.describe('where the application calls'),
          service: reference,
          port: port.describe('of the service'),
        }),
      )
      .max(1024)
      .prefault([]),
  }),
});

/** `citadel.dev/v1 Service`: what callers address, by workload labels or by endpoints. */
export const serviceSchema = z.strictObject({
  apiVersion: z.literal('citadel.dev/v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z
    .strictObject({
      hosts: z.array(dnsSubdomain).max(64).prefault([]),
      addresses: z.array(ip).max(64).prefault([]),
      ports: z
        .array(
          z.strictObject({
            port,
            name: z.string().max(63).prefault(''),
            protocol: protocol.prefault('http'),
            targetPort: port.optional().describe('of the workloads; default: port'),
          }),
        )
        .min(1)
        .max(256),
      selector: labels.optional().describe('workloads of the same namespace'),
      endpoints: z.array(socket).max(10_000).optional().describe('of what no registry knows: plaintext'),
    })
    .refine(({ selector, endpoints }) => (selector === undefined) !== (endpoints === undefined), {
      message: 'exactly one of selector and endpoints is needed',
    }),
});

export type WorkloadObject = z.output<typeof workloadSchema>;
export type ServiceObject = z.output<typeof serviceSchema>;
