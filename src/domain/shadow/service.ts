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
import { doubtsOf } from './doubts.ts';
import type { ShadowStatus, ShadowWorkload } from './model.ts';
import type { ShadowObserver } from './observer.ts';
import { unshadowable } from './unshadowable.ts';

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
   *   was made for, FailedPrecondition where there are doubts and no force
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
  readonly mesh: Pick<ControlPlane, 'snapshot' | 'shadows'>;
  readonly observer: Pick<ShadowObserver, 'observed'>;
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

  const workloads = (): readonly ShadowWorkload[] => {
    const seen = observer.observed();
    return mesh.shadows().map((standing) => {
      const known = evidence.get(standing.workload);
      const { coverage, confirmedAt } = known ?? {};
      return {
        each: 0,
        sampled: 0,
        different: 0,
        unknown: 0,
        last: undefined,
        ...seen?.byWorkload.get(standing.workload),
        ...standing,
        complete: coverage && confirmedAt && { since: coverage.since, until: confirmedAt },
      };
    });
  };

  const status = async (): Promise<ShadowStatus | undefined> => {
    const candidate = await store.candidate();
    if (!candidate) return undefined;
    const { revision } = await store.current();
    const observed = observer.observed();
    const isTried = observed?.candidate === candidate.id;
    const all = isTried ? workloads() : [];
    return {
      candidate,
      revision,
      since: isTried ? observed.since : undefined,
      workloads: all,
      differences: isTried ? observed.differences : [],
      more: isTried ? observed.more : 0,
      samplePercent: mesh.snapshot()?.settings.accessLogSample ?? 0,
      doubts: isTried ? doubtsOf(all) : ['the candidate has not reached the mesh yet'],
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
      const { doubts = [], revision } = (await status()) ?? {};
      if (revision !== candidate.base)
        throw new CitadelError(
          'Aborted',
          `the policies have been changed since revision ${candidate.base}, for which this was made: look at the changes, and try it anew`,
        );
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
      return policies.apply({ texts, remove, promotes: id }, candidate.base, author, reason);
    },
    async revert({ id, author, reason }) {
      const candidate = await candidateOf(id);
      await record('revert', candidate, { author, reason }, 'allowed');
      await store.withdraw(id);
      await changed();
    },
  };
}
