import { Counter, Gauge, type Registry } from 'prom-client';
import type { AuthorityMetricKind, IssuanceFailure } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

/** The names that istiod gives its counters, so that existing dashboards and alerts go on working. */
export function createIstioAliases(registry: Registry, clock: Clock) {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `citadel_server_${name}`, help, registers });
  const ends = new Map<AuthorityMetricKind, Date>();
  const expiry = (name: string, kind: AuthorityMetricKind) => {
    const timestamp: Gauge = new Gauge({
      name: `citadel_server_${name}_expiry_timestamp`,
      help: 'Unix time at which it ends, in seconds',
      registers,
      collect: () => timestamp.set((ends.get(kind)?.getTime() ?? 0) / 1000),
    });
    const seconds: Gauge = new Gauge({
      name: `citadel_server_${name}_expiry_seconds`,
      help: 'Seconds until it ends; negative when it has',
      registers,
      collect: () => {
        const end = ends.get(kind);
        seconds.set(end ? (end.getTime() - clock.now().getTime()) / 1000 : 0);
      },
    });
  };
  expiry('root_cert', 'root');
  expiry('cert_chain', 'issuing');
  const failures: Partial<Record<IssuanceFailure, Counter>> = {
    authentication: counter('authentication_failure_count', 'Callers that could not prove who they are'),
    request: counter('csr_parsing_err_count', 'Certificate requests that could not be read'),
    identity: counter('id_extraction_err_count', 'Identities that could not be made from a proof'),
    signing: counter('csr_sign_err_count', 'Certificates that could not be signed'),
  };
  return {
    requests: counter('csr_count', 'Certificate requests received'),
    successes: counter('success_cert_issuance_count', 'Certificates issued'),
    failures,
    setExpiry: (kind: AuthorityMetricKind, notAfter: Date) => {
      ends.set(kind, notAfter);
    },
  };
}
