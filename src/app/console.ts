import { join } from 'node:path';
import type { ConsoleListener } from '../api/console/index.ts';
import type { Refusal } from '../api/listen/index.ts';
import { type CodeFlow, createBrowserSessions, type OperatorAccess } from '../domain/operators/index.ts';
import type { Metrics, Store } from '../domain/ports/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import { type Clock, type Entropy, type Log, version } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import type { OpenControlPlane } from './control-plane.ts';
import { decisionRecordsOf } from './operators.ts';

export interface ConsoleOptions {
  readonly config: ServerConfig;
  readonly access: OperatorAccess;
  readonly store: Pick<Store, 'audit' | 'decisions'>;
  readonly certificates: ServingCertificateSource;
  readonly controlPlane: OpenControlPlane | undefined;
  readonly metrics: Metrics;
  readonly onRefused: (refusal: Refusal) => void;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Beside the sources as beside what is compiled of them. */
const pages = join(import.meta.dirname, '../../dist/console');

/** The console for browsers; undefined where the configuration has none. Nothing of it is loaded then. */
export async function serveConsole(options: ConsoleOptions): Promise<ConsoleListener | undefined> {
  const { config, access, store, certificates, controlPlane, onRefused, metrics, clock, entropy, log } =
    options;
  const settings = config.console;
  if (!settings) return undefined;
  const { idle, lifetime, maximum, perOperator } = settings.sessions;
  const sessions = createBrowserSessions({
    access,
    audit: store.audit,
    codeFlow: await codeFlowOf(config, { clock, entropy }),
    clientCertificates: settings.clientCertificates,
    limits: { idle, lifetime, sessions: maximum, perOwner: perOperator },
    clock,
    entropy,
  });
  const { createPolicyAnalysis } = await import('../adapters/analysis/index.ts');
  const { defaultConsoleLimits, startConsoleListener } = await import('../api/console/index.ts');
  const { handshakeTimeout, requestTimeout, callsPerSecondPerPeer } = config.limits;
  return await startConsoleListener({
    address: config.listen.console,
    origin: settings.origin,
    directory: pages,
    services: {
      sessions,
      trustDomain: config.trustDomain.name,
      version,
      analysis: createPolicyAnalysis(),
      now: () => clock.now(),
      policies: controlPlane?.policies,
      shadow: controlPlane?.shadow,
      policyStatus: () => controlPlane?.plane.policies() ?? [],
      policyWarnings: () => controlPlane?.plane.policyWarnings() ?? [],
      meshSources: () => controlPlane?.plane.sources() ?? [],
      policyWorld: () => controlPlane?.plane.snapshot(),
      decisionRecords: controlPlane && decisionRecordsOf(controlPlane, store),
    },
    certificates,
    limits: { ...defaultConsoleLimits, handshakeTimeout, requestTimeout, callsPerSecondPerPeer },
    metrics,
    onRefused,
    log,
  });
}

async function codeFlowOf(
  { console, operators }: ServerConfig,
  ports: { readonly clock: Clock; readonly entropy: Entropy },
): Promise<CodeFlow | undefined> {
  const client = console?.oidc;
  const provider = operators.oidc.find(({ issuer }) => issuer === client?.issuer);
  if (!client || !provider) return undefined;
  const { createCodeFlow } = await import('../adapters/oidc/index.ts');
  const { clientId, clientSecret, scopes } = client;
  return createCodeFlow({ provider, clientId, clientSecret, scopes, ...ports });
}
