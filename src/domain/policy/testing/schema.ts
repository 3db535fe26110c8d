import { isIP } from 'node:net';
import { z } from 'zod';
import { jsonSchemaOf, mend } from '../../../yaml/index.ts';
import type { ClaimValue } from '../decide/index.ts';
import { dnsLabel, faultOfHeaderName, faultOfMethod, isDnsSubdomain } from '../read/index.ts';

/** What bounds a test. */
export const testLimits = {
  cases: 10_000,
  /** Of one case, all its lists multiplied. */
  calls: 1000,
  values: 100,
  workloads: 10_000,
  files: 1000,
  textLength: 4096,
} as const;

const text = () =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(testLimits.textLength, 'must not be longer than 4096 characters');
const namespace = () =>
  z.string().regex(dnsLabel, 'must be a name of lower-case letters, digits and - (RFC 1123)');
const objectName = () =>
  z.string().refine(isDnsSubdomain, 'must be a name of lower-case letters, digits, - and . (RFC 1123)');
const labels = () => z.record(z.string().min(1), z.string());
const port = () => z.int().min(1).max(65_535);
const protocol = () => z.enum(['http', 'http2', 'tcp']);
const address = () =>
  z.string().refine((value) => isIP(value) !== 0, 'must be one IPv4 or IPv6 address, as 10.1.2.3');
const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1, 'must not be empty').max(testLimits.values)], {
    error: 'must be text, or a list of texts',
  });

const workload = z.strictObject({
  name: objectName(),
  namespace: namespace().optional().describe('default: the metadata.namespace of the test'),
  serviceAccount: objectName().optional().describe('default: the name'),
  labels: labels().optional().describe('which selectors look at; default: app: NAME'),
  addresses: z.array(address()).min(1).max(16).optional(),
  proxy: z
    .enum(['none', 'explicit', 'capture'])
    .optional()
    .describe(
      'none: no policy is enforced there; capture: also ports that are not named here; default: explicit',
    ),
  ports: z
    .array(
      z.strictObject({
        port: port(),
        protocol: protocol().optional().describe('default: http; of tcp no policy sees methods or paths'),
      }),
    )
    .min(1, 'must not be empty')
    .max(256)
    .optional()
    .describe('default: 8080, http'),
});

const service = z.strictObject({
  name: objectName(),
  namespace: namespace().optional().describe('default: the metadata.namespace of the test'),
  hosts: z.array(text()).max(64).optional().describe('default: NAME.NAMESPACE'),
  selector: labels().describe('labels of the workloads behind it, of its namespace'),
  ports: z
    .array(
      z.strictObject({
        port: port(),
        protocol: protocol().optional().describe('default: http'),
        targetPort: port().optional().describe('of the workloads; default: port'),
      }),
    )
    .min(1, 'must not be empty')
    .max(256),
});

const settings = z.strictObject({
  trustDomain: text().optional().describe('default: cluster.local'),
  trustDomainAliases: z.array(text()).max(64).optional(),
  rootNamespace: namespace()
    .optional()
    .describe('whose policies hold for the whole mesh; default: istio-system'),
  providers: z
    .array(text())
    .max(64)
    .optional()
    .describe('the authorizers that CUSTOM policies may name; any other refuses'),
});

const claimValue: z.ZodType<ClaimValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(claimValue),
    z.record(z.string(), claimValue),
  ]),
);
const claims = () => z.record(z.string(), claimValue);
const verdict = () => z.enum(['allow', 'deny']);

const caller = () =>
  text().describe(
    'plaintext, a SPIFFE ID, NAMESPACE/SERVICEACCOUNT, or SERVICEACCOUNT of the test’s namespace',
  );

const headerNames = (headers: Readonly<Record<string, unknown>>, context: z.RefinementCtx) => {
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (lower.startsWith(':') || lower === 'host')
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `${name} has a field of its own`,
        ...mend('write method, path or host beside headers'),
      });
    else if (lower === 'authorization')
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'a token is no header here: nobody could verify it',
        ...mend('write its claims in jwt'),
      });
    else {
      const fault = faultOfHeaderName(name);
      if (fault) context.addIssue({ code: 'custom', path: [name], message: fault.message });
    }
  }
};

const method = () =>
  text().superRefine((value, context) => {
    const fault = faultOfMethod(value);
    if (fault) context.addIssue({ code: 'custom', message: fault.message });
  });
/** What an HTTP/1.1 request line can hold; anything odd is what a test may be about. */
const path = () => text().regex(/^[/*][^\s]*$/, 'must begin with / and hold no blanks');

const call = {
  from: oneOrMore(caller())
    .optional()
    .describe('who calls: plaintext, a SPIFFE ID, or NAMESPACE/SERVICEACCOUNT'),
  to: text()
    .optional()
    .describe(
      'whom: [NAMESPACE/]WORKLOAD[:PORT], or a service with the service’s port; the port may be left out where there is one',
    ),
  method: oneOrMore(method()).optional(),
  path: oneOrMore(path()).optional().describe('as the caller sends it, with its query'),
  host: text().optional().describe('as the caller writes it, with its port where it writes one'),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))
    .superRefine(headerNames)
    .optional()
    .describe('by name; a list for one that is sent several times'),
  jwt: z
    .union([claims(), z.literal('invalid')], { error: 'must be claims of a token, or the word invalid' })
    .optional()
    .describe(
      'claims of a token that is signed well, or "invalid"; what of them counts the RequestAuthentications say',
    ),
  ip: address()
    .optional()
    .describe('of the connection; default: the address of the caller’s workload, where it has one'),
  remoteIp: address().optional().describe('of the original client; default: ip'),
  sni: text().optional(),
  custom: z
    .record(z.string(), verdict())
    .optional()
    .describe('what each provider of CUSTOM policies answers, allow or deny'),
  metadata: z
    .record(z.string(), claims())
    .optional()
    .describe('what other filters of the proxy have left, by filter and name'),
};

const deciderPattern =
  /^(?:nothing|(?:(AuthorizationPolicy|PeerAuthentication|RequestAuthentication)\/)?[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}(?:\[\d{1,4}\])?)$/;

const testCase = z.strictObject({
  name: text(),
  ...call,
  expect: z
    .enum(['allowed', 'denied', 'unauthorized', 'refused'])
    .describe(
      'denied: does not get through, however; unauthorized: by 401, for its token; refused: no connection',
    ),
  by: z
    .string()
    .regex(deciderPattern, 'must be NAMESPACE/NAME[RULE], KIND/NAMESPACE/NAME or nothing')
    .optional()
    .describe(
      'what decides: shop/web-reads[0] is its first rule; PeerAuthentication/shop/default; nothing: no rule at all',
    ),
});

/** `citadel.dev/v1 PolicyTest`. */
export const policyTestSchema = z.strictObject({
  apiVersion: z.literal('citadel.dev/v1'),
  kind: z.literal('PolicyTest'),
  metadata: z.strictObject({
    name: objectName(),
    namespace: namespace().optional().describe('of names that are written without one'),
  }),
  spec: z.strictObject({
    policies: z
      .array(text())
      .max(testLimits.files)
      .optional()
      .describe(
        'files and directories, from where this file is; they take the place of those of the same names',
      ),
    mesh: settings.optional().describe('how the mesh is called; not for a world, which knows it'),
    world: text().optional().describe('a file, as citadel policy world writes it'),
    registry: text()
      .optional()
      .describe('a directory of workloads, services and policies, as a server reads it'),
    workloads: z.array(workload).min(1, 'must not be empty').max(testLimits.workloads).optional(),
    services: z.array(service).max(testLimits.workloads).optional(),
    defaults: z.strictObject(call).optional().describe('what a case does not say'),
    cases: z.array(testCase).min(1, 'must not be empty').max(testLimits.cases),
  }),
});

export type TestDocument = z.output<typeof policyTestSchema>;
export type TestSpec = TestDocument['spec'];
export type WrittenCase = TestSpec['cases'][number];

/** The JSON Schema of what may be written. */
export const policyTestShape = jsonSchemaOf(policyTestSchema);
