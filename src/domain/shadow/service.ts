import { createHash } from 'node:crypto';
import { CitadelError, type Clock } from '../../kernel/index.ts';
import type { EvidenceService } from '../evidence/index.ts';
import type { ControlPlane } from '../mesh/index.ts';
import {
  type PolicyAuthor,
  type PolicyChangeRequest,
  type PolicyPlan,
  type PolicyService,
  policyKey,
  refuseUnable,
} from '../policy/index.ts';
import type { AuditLog, PolicyCandidate, PolicyStore } from '../ports/index.ts';
import { doubtsOf, obstaclesOf } from './doubts.ts';
import type { ShadowCounting, ShadowCounts, ShadowStatus, ShadowTally, ShadowWorkload } from './model.ts';
import type { ShadowObserver } from './observer.ts';
import { unshadowable } from './unshadowable.ts';
import { countingOf } from './watches.ts';

/** Tries a change of the policies beside what holds, on the proxies themselves. It decides nothing until it is promoted. */
export interface ShadowService {
  plan(request: PolicyChangeRequest): Promise<PolicyPlan>;
  /**
   * @param expected the revision that the author saw
   * @throws CitadelError InvalidArgument where the plan has problems, FailedPrecondition where a part of it would have no
   *   effect or nothing changes, Aborted where another change came first, AlreadyExists while another candidate is tried
   */
  start(
    request: PolicyChangeRequest,
    expected: number,
    author: PolicyAuthor,
    reason: string,
  ): Promise<PolicyPlan>;
  /** Undefined where nothing is tried. */
  status(): Promise<ShadowStatus | undefined>;
  /**
   * Makes hold what was tried, and nothing else.
   * @throws CitadelError NotFound where this candidate is not tried any more, Aborted where the policies are not those it
   *   was made for, FailedPrecondition where a proxy refuses it, or there are doubts and no force
   */
  promote(order: ShadowOrder & { readonly force: boolean }): Promise<PolicyPlan>;
  /** Takes it back. @throws CitadelError NotFound where this candidate is not tried any more */
  revert(order: ShadowOrder): Promise<void>;
}

export interface ShadowOrder {
  readonly id: string;
  readonly author: PolicyAuthor;
  readonly reason: string;
}

export interface ShadowServiceOptions {
  readonly policies: Pick<PolicyService, 'prepare' | 'apply'>;
  readonly store: PolicyStore;
  readonly audit: AuditLog;
  readonly mesh: Pick<ControlPlane, 'snapshot' | 'shadows' | 'sources'>;
  readonly observer: Pick<ShadowObserver, 'seen'>;
  readonly evidence: Pick<EvidenceService, 'get'>;
  readonly clock: Clock;
  /** Called after each change of the candidate. */
  readonly changed: () => Promise<void>;
}

export function createShadowService(options: ShadowServiceOptions): ShadowService {
  const { policies, store, audit, mesh, observer, evidence, clock, changed } = options;

  const prepare = async (request: PolicyChangeRequest) => {
    const prepared = await policies.prepare(request);
    return { ...prepared, problems: [...prepared.problems, ...unshadowable(prepared)] };
  };

  const record = async (
    action: 'start' | 'promote' | 'revert',
    { id, objects }: Pick<PolicyCandidate, 'id' | 'objects'>,
    { author, reason }: Omit<ShadowOrder, 'id'>,
    outcome: 'allowed' | 'refused' | 'failed',
    details: Readonly<Record<string, string>> = {},
  ) =>
    audit.append({
      at: clock.now(),
      action: `policy.shadow.${action}`,
      subject: author.subject,
      proof: author.proof,
      target: objects.map(policyKey).slice(0, 20).join(' '),
      reason: reason === '' ? 'none given' : reason,
      details: { candidate: id, objects: String(objects.length), ...details },
      outcome,
    });

  const candidateOf = async (id: string): Promise<PolicyCandidate> => {
    const candidate = await store.candidate();
    if (candidate?.id === id) return candidate;
    throw new CitadelError('NotFound', `the candidate ${id} is not tried any more: look at the status again`);
  };

  const workloadsOf = (
    tallies: ReadonlyMap<string, ShadowTally>,
    { unbrokenSince }: ShadowCounting,
  ): readonly ShadowWorkload[] =>
    mesh.shadows().map((standing) => {
      const tally = tallies.get(standing.workload);
      const counts = tally?.trial === standing.trial ? tally : undefined;
      const { coverage, confirmedAt } = evidence.get(standing.workload) ?? {};
      return {
        ...noCounts,
        ...countsOf(counts),
        ...standing,
        earlier: counts ? counts.earlier : tally ? tally.earlier + seenOf(tally) : 0,
        complete: coverage &&
          confirmedAt && { since: latest(coverage.since, unbrokenSince), until: confirmedAt },
      };
    });

  const status = async (): Promise<ShadowStatus | undefined> => {
    const candidate = await store.candidate();
    if (!candidate) return undefined;
    const { revision } = await store.current();
    const snapshot = mesh.snapshot();
    const isTried = snapshot?.candidate?.id === candidate.id;
    const seen = await observer.seen(candidate.id);
    const counting = countingOf(seen.watches, clock.now());
    const tallies = new Map(seen.tallies.map((tally) => [tally.workload, tally]));
    const workloads = isTried ? workloadsOf(tallies, counting) : [];
    const trials = new Map(workloads.map(({ workload, trial }) => [workload, trial]));
    const present = seen.tallies.filter(({ workload, trial }) => trials.get(workload) === trial);
    return {
      candidate,
      revision,
      since: counting.since,
      gaps: counting.gaps,
      workloads,
      elsewhere: sum(seen.tallies.filter(({ workload }) => !trials.has(workload)).map(seenOf)),
      differences: present.flatMap(({ differences }) => differences).toSorted((a, b) => b.count - a.count),
      more: sum(present.map(({ more }) => more)),
      samplePercent: snapshot?.settings.accessLogSample ?? 0,
      doubts: isTried ? doubtsOf(workloads, mesh.sources()) : ['the candidate has not reached the mesh yet'],
      obstacles: obstaclesOf(workloads),
    };
  };

  return {
    plan: async (request) => {
      const { objects: _, before: __, ...plan } = await prepare(request);
      return plan;
    },
    async start(request, expected, author, reason) {
      const { objects, before: _, ...plan } = await prepare(request);
      refuseUnable(plan, expected);
      if (objects.length === 0)
        throw new CitadelError('FailedPrecondition', 'nothing would change: there is nothing to try');
      const at = clock.now();
      const content = { at, by: author.subject, reason, base: expected, objects };
      const id = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);
      const candidate = { id, ...content };
      await record('start', candidate, { author, reason }, 'allowed', { expected: String(expected) });
      await store.propose(candidate).catch(async (error: unknown) => {
        await record('start', candidate, { author, reason }, 'failed');
        throw error;
      });
      await changed();
      return plan;
    },
    status,
    async promote({ id, force, author, reason }) {
      const candidate = await candidateOf(id);
      const { doubts = [], obstacles = [], revision } = (await status()) ?? {};
      if (revision !== candidate.base)
        throw new CitadelError(
          'Aborted',
          `the policies have been changed since revision ${candidate.base}, for which this was made: look at the changes, and try it anew`,
        );
      if (obstacles.length > 0) {
        await record('promote', candidate, { author, reason }, 'refused', {
          obstacles: obstacles.join('; '),
        });
        throw new CitadelError(
          'FailedPrecondition',
          `${obstacles.join('; ')}; it would not hold there either`,
        );
      }
      if (force && reason === '')
        throw new CitadelError('InvalidArgument', 'force needs a reason, for the record');
      if (doubts.length > 0 && !force) {
        await record('promote', candidate, { author, reason }, 'refused', { doubts: doubts.join('; ') });
        throw new CitadelError('FailedPrecondition', `${doubts.join('; ')}; force promotes it all the same`);
      }
      const texts = candidate.objects.flatMap((each) =>
        each.text === undefined ? [] : [{ source: policyKey(each), text: each.text }],
      );
      const remove = candidate.objects.filter(({ text }) => text === undefined);
      // Why it was tried is why it holds, where nothing else is said.
      return policies.apply(
        { texts, remove, promotes: id },
        candidate.base,
        author,
        reason || candidate.reason,
      );
    },
    async revert({ id, author, reason }) {
      const candidate = await candidateOf(id);
      await record('revert', candidate, { author, reason }, 'allowed');
      await store.withdraw(id);
      await changed();
    },
  };
}

const noCounts: ShadowCounts = { each: 0, sampled: 0, different: 0, unknown: 0, last: undefined };

function countsOf(tally: ShadowTally | undefined): Partial<ShadowCounts> {
  if (!tally) return {};
  const { each, sampled, different, unknown, last } = tally;
  return { each, sampled, different, unknown, last };
}

const seenOf = ({ each, sampled }: ShadowCounts): number => each + sampled;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const latest = (a: Date, b: Date | undefined): Date => (b && b > a ? b : a);
