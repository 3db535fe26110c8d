import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';

const clock = { now: () => new Date('2030-01-01T00:00:00Z'), sleep: async () => {} };

async function exposed(act: (metrics: ReturnType<typeof createMetrics>) => void): Promise<string> {
  const metrics = createMetrics(clock, { process: false });
  act(metrics);
  return await metrics.expose();
}

describe('createMetrics', () => {
  it.each([
    ['authentication', 'authentication_failure_count'],
    ['request', 'csr_parsing_err_count'],
    ['identity', 'id_extraction_err_count'],
    ['signing', 'csr_sign_err_count'],
  ] as const)('counts a failure of %s under istiod’s name too', async (failure, alias) => {
    const text = await exposed((metrics) => metrics.issuanceFailed(failure, 'Internal'));
    expect(text).toContain(`\ncitadel_server_${alias} 1\n`);
    expect(text).toMatch(
      new RegExp(`citadel_issuances_total\\{[^}]*failure="${failure}",code="Internal"\\} 1`),
    );
    expect(text).toContain('\ncitadel_server_success_cert_issuance_count 0\n');
  });

  it('counts successes and their stages', async () => {
    const text = await exposed((metrics) => {
      metrics.issuanceStarted();
      metrics.issuanceStage('sign', 0.2);
      metrics.issuanceSucceeded();
    });
    expect(text).toContain('\ncitadel_server_success_cert_issuance_count 1\n');
    expect(text).toContain('citadel_issuance_stage_seconds_bucket{le="0.0001",stage="sign"} 0');
    expect(text).toContain('citadel_issuance_stage_seconds_bucket{le="0.00025",stage="sign"} 1');
  });

  it('tells when authorities end, by the clock of the moment', async () => {
    const text = await exposed((metrics) => {
      metrics.authorityExpires('root', new Date('2030-01-01T01:00:00Z'));
      metrics.authorityExpires('issuing', new Date('2029-12-31T23:59:00Z'));
    });
    expect(text).toContain('\ncitadel_authority_expiry_seconds{kind="root"} 3600\n');
    expect(text).toContain('\ncitadel_server_root_cert_expiry_seconds 3600\n');
    expect(text).toContain('\ncitadel_server_root_cert_expiry_timestamp 1893459600\n');
    expect(text).toContain('\ncitadel_server_cert_chain_expiry_seconds -60\n');
  });

  it('tells how far a rotation is, how long its phase lasts, and how old authorities are', async () => {
    const counts = {
      phase: 'drain' as const,
      since: new Date('2029-12-31T23:00:00Z'),
      standings: { inUse: 3, away: 1 },
      stragglers: 1,
      unproven: 0,
      certificates: 5,
      blocked: true,
    };
    const life = ['2029-12-31T16:00:00Z', '2030-01-01T02:00:00Z'].map((text) => new Date(text));
    const [notBefore = new Date(), notAfter = new Date()] = life;
    const text = await exposed((metrics) => {
      metrics.rotation(counts);
      metrics.authorityLife('root', notBefore, notAfter);
    });
    for (const line of [
      'citadel_root_rotation_phase{phase="drain"} 1',
      'citadel_root_rotation_phase{phase="distribute"} 0',
      'citadel_root_rotation_phase_age_seconds 3600',
      'citadel_root_rotation_proxies{standing="inUse"} 3',
      'citadel_root_rotation_adoption_ratio{standing="inUse"} 0.75',
      'citadel_root_rotation_stragglers{needs="evidence"} 1',
      'citadel_root_rotation_stragglers{needs="word"} 0',
      'citadel_root_rotation_certificates 5',
      'citadel_root_rotation_blocked 1',
      'citadel_authority_life_ratio{kind="root"} 0.8',
    ])
      expect(text).toContain(`\n${line}\n`);
    // One that is over leaves no proxies behind.
    const metrics = createMetrics(clock, { process: false });
    metrics.rotation(counts);
    expect(await metrics.expose()).toContain('standing="inUse"');
    metrics.rotation(undefined);
    const over = await metrics.expose();
    expect(over).toContain('\ncitadel_root_rotation_phase{phase="drain"} 0\n');
    expect(over).toContain('\ncitadel_root_rotation_phase_age_seconds 0\n');
    expect(over).not.toContain('standing="inUse"');
  });

  it('tells how many key sets are stale or missing, and how old the oldest is', async () => {
    const text = await exposed((metrics) => {
      metrics.keySetFetched(false, 20);
      metrics.enforcement({ running: 1, halted: 0, done: 2, workloads: 7 });
      metrics.keySets({ current: 2, stale: 1, missing: 0, oldest: new Date('2029-12-31T23:00:00Z') });
    });
    expect(text).toContain('\ncitadel_jwks_fetches_total{outcome="failed"} 1\n');
    expect(text).toContain('\ncitadel_jwks_sets{state="stale"} 1\n');
    expect(text).toContain('\ncitadel_jwks_oldest_seconds 3600\n');
    expect(text).toContain('\ncitadel_mtls_enforcement_runs{state="done"} 2\n');
    expect(text).toContain('\ncitadel_mtls_enforced_workloads 7\n');
  });

  it('tells how old a source of the mesh is, and what of it does not count', async () => {
    const broken = (object: string, kept: boolean) => ({ object, reason: 'is bad', kept });
    const source = { problem: undefined, rejected: [], shadowed: [], warnings: [] };
    const text = await exposed((metrics) => {
      metrics.meshSources(() => [
        {
          ...source,
          name: 'files',
          currentAt: new Date('2029-12-31T23:00:00Z'),
          rejected: [broken('a', true), broken('a', true), broken('b', false)],
          shadowed: [{ object: 'c', reason: 'is another' }],
        },
        { ...source, name: 'kubernetes/a', currentAt: undefined, problem: 'is away' },
      ]);
    });
    const lines = text.split('\n').filter((line) => line.startsWith('citadel_mesh_source_'));
    expect(lines.toSorted()).toEqual([
      'citadel_mesh_source_age_seconds{source="files"} 3600',
      'citadel_mesh_source_broken_kept{source="files"} 1',
      'citadel_mesh_source_broken_kept{source="kubernetes/a"} 0',
      'citadel_mesh_source_broken{source="files"} 1',
      'citadel_mesh_source_broken{source="kubernetes/a"} 0',
      'citadel_mesh_source_shadowed{source="files"} 1',
      'citadel_mesh_source_shadowed{source="kubernetes/a"} 0',
      'citadel_mesh_source_up{source="files"} 1',
      'citadel_mesh_source_up{source="kubernetes/a"} 0',
    ]);
  });

  it('counts what proxies are sent, and what they make of it', async () => {
    const text = await exposed((metrics) => {
      metrics.streams('ads-delta', 2);
      metrics.discoveryPush('cds', 100);
      metrics.discoveryPush('cds', 20);
      metrics.discoveryAnswer('cds', true, 4);
      metrics.discoveryAnswer('cds', false, 4);
    });
    expect(text).toContain('\ncitadel_open_streams{service="ads-delta"} 2\n');
    expect(text).toContain('\ncitadel_discovery_pushes_total{type="cds"} 2\n');
    expect(text).toContain('\ncitadel_discovery_sent_bytes_total{type="cds"} 120\n');
    expect(text).toContain('\ncitadel_discovery_nacks_total{type="cds"} 1\n');
    expect(text).toContain('\ncitadel_discovery_push_seconds_bucket{le="0.005",type="cds"} 2\n');
  });

  it('keeps two servers in one process apart', async () => {
    const first = createMetrics(clock, { process: false });
    const second = createMetrics(clock, { process: false });
    first.issuanceStarted();
    expect(await second.expose()).toContain('\ncitadel_server_csr_count 0\n');
  });
});
