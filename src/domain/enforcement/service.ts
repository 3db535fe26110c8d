import { CitadelError, type Entropy, Limiter } from '../../kernel/index.ts';
import { noEvidence } from '../evidence/index.ts';
import type { MeshSnapshot } from '../mesh/index.ts';
import { mutualTlsModeOf } from '../policy/index.ts';
import { newStep } from './advance.ts';
import { knownCallers } from './look.ts';
import type { EnforcementRun, EnforcementScope, EnforcementStep } from './model.ts';
import { isLive } from './orders.ts';
import { composePlan, type EnforcementPlan, firstStep, planWorkload } from './plan.ts';
import {
  detailsOf,
  type EnforcementRequest,
  type Enforcer,
  isCalled,
  refuse,
  resolveScope,
  type ScopeQuery,
} from './request.ts';
import { revertRun } from './revert.ts';
import { Runner, type RunnerOptions } from './run.ts';
import { containsScope, isWithin, memberOf, overlaps, scopeText } from './scope.ts';

export interface RunStatus extends EnforcementRun {
  /** What each step waits for, in the order of the steps; empty where it waits for nothing. */
  readonly waits: readonly string[];
}

/** What a revert takes back. */
export interface RevertPlan {
  readonly scope: EnforcementScope;
  /** Orders that it ends, or takes a part from. */
  readonly orders: readonly EnforcementRun[];
  /** Workloads that take plaintext again as their policies say. */
  readonly workloads: readonly string[];
}

export interface EnforcementService {
  plan(scope: ScopeQuery, window: number): EnforcementPlan;
  /**
   * @throws CitadelError FailedPrecondition where it is not ready, or has nothing to do; AlreadyExists where another order
   *   for a part of it runs; Aborted where the plan is not the one that the operator saw
   */
  enforce(request: EnforcementRequest, by: Enforcer): Promise<EnforcementRun>;
  planRevert(scope: ScopeQuery): RevertPlan;
  revert(scope: ScopeQuery, reason: string, by: Enforcer): Promise<RevertPlan>;
  /** Newest first; only one where its id is given. */
  runs(id?: string): readonly RunStatus[];
  /** Goes on where runs were, until `close`. */
  start(): void;
  close(): Promise<void>;
}

export interface EnforcementServiceOptions extends RunnerOptions {
  readonly entropy: Entropy;
}

const interval = 500;
const afterFailure = 5_000;
const mostListed = 100;

/** Makes workloads strict, one after the other, at an operator's word. */
export function createEnforcementService(options: EnforcementServiceOptions): EnforcementService {
  const { mesh, evidence, orders, audit, clock, entropy } = options;
  const runner = new Runner(options);
  const oneAtATime = new Limiter(1, 64, 'orders are being changed; try again');
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const snapshotNow = (): MeshSnapshot => {
    const snapshot = mesh.snapshot();
    if (snapshot) return snapshot;
    throw new CitadelError('Unavailable', 'the registry has not been read yet; try again');
  };

  const plan = (query: ScopeQuery, window: number): EnforcementPlan => {
    const snapshot = snapshotNow();
    const scope = resolveScope(query, snapshot);
    const within = [...snapshot.workloads.values()].filter((each) => isWithin(scope, each));
    if (within.length === 0)
      throw new CitadelError('NotFound', `no registry has a workload of ${scopeText(scope)}`);
    const now = clock.now();
    const workloads = within.flatMap((each) => {
      const view = each.proxy === 'none' ? undefined : mesh.view(each.id);
      if (!view) return [];
      const known = evidence.get(each.id) ?? noEvidence(each.id);
      return [planWorkload({ view, evidence: known, order: orders.orderFor(each) }, window, now)];
    });
    const withoutProxy = within.filter(({ proxy }) => proxy === 'none').map(({ id }) => id);
    return composePlan(scope, workloads, withoutProxy);
  };

  const begin = async (request: EnforcementRequest, by: Enforcer): Promise<EnforcementRun> => {
    const planned = plan(request.scope, request.window);
    const { scope } = planned;
    refuse(planned, request, orders.runs());
    const now = clock.now();
    const superseded = orders
      .runs()
      .filter((run) => isLive(run) && run.state !== 'running' && containsScope(scope, run.scope));
    const snapshot = snapshotNow();
    const steps = planned.workloads.flatMap((each): EnforcementStep[] => {
      const order = orders.orderFor(memberOf(each));
      const takenOver = order !== undefined && superseded.includes(order);
      const step = firstStep(each, takenOver, newStep(each, now));
      if (step?.state !== 'asked') return step ? [step] : [];
      return [{ ...step, known: knownCallers({ snapshot, evidence }, each.workload, now) }];
    });
    const run: EnforcementRun = {
      id: Buffer.from(entropy.bytes(6)).toString('hex'),
      scope,
      state: 'running',
      startedAt: now,
      startedBy: by.subject,
      reason: request.reason,
      observe: request.observe,
      window: request.window,
      revertUntil:
        request.revertWithin === undefined ? undefined : new Date(now.getTime() + request.revertWithin),
      steps,
      halt: undefined,
      exempt: [],
      updatedAt: now,
    };
    await audit.append({
      ...by,
      at: now,
      action: 'mtls.enforce.start',
      outcome: 'allowed',
      target: scopeText(scope),
      reason: request.reason === '' ? 'none given' : request.reason,
      details: detailsOf(run, planned),
    });
    await runner.keep(
      ...superseded.map((old) => ({ ...old, state: 'superseded' as const, updatedAt: now })),
      run,
    );
    return run;
  };

  const planRevert = (query: ScopeQuery): RevertPlan => {
    const snapshot = snapshotNow();
    // Also what no registry has any more.
    const ordered = orders.runs().find((run) => isLive(run) && isCalled(run.scope, query));
    const scope = ordered?.scope ?? resolveScope(query, snapshot);
    const touched = orders.runs().filter((run) => isLive(run) && overlaps(run.scope, scope));
    const workloads = [...snapshot.workloads.values()]
      .filter((each) => isWithin(scope, each) && orders.holds(each))
      .map(({ id }) => id)
      .filter((id) => {
        const view = mesh.view(id);
        return view?.inbound.some(({ port, mode }) => mode !== mutualTlsModeOf(view.policies, port.port));
      });
    return { scope, orders: touched, workloads };
  };

  return {
    plan,
    enforce: (request, by) => oneAtATime.run(stopping.signal, () => begin(request, by)),
    planRevert,
    revert: (query, reason, by) =>
      oneAtATime.run(stopping.signal, async () => {
        const planned = planRevert(query);
        const { scope } = planned;
        if (planned.orders.length === 0)
          throw new CitadelError('NotFound', `no order makes ${scopeText(scope)}, or a part of it, strict`);
        const now = clock.now();
        await audit.append({
          ...by,
          at: now,
          action: 'mtls.revert',
          outcome: 'allowed',
          target: scopeText(scope),
          reason: reason === '' ? 'none given' : reason,
          details: {
            orders: planned.orders.map(({ id }) => id).join(' '),
            workloads: String(planned.workloads.length),
          },
        });
        await runner.keep(...planned.orders.map((run) => revertRun(run, scope, now)));
        return planned;
      }),
    runs: (id) =>
      orders
        .runs()
        .filter((run) => id === undefined || run.id === id)
        .toReversed()
        .slice(0, mostListed)
        .map((run) => ({ ...run, waits: runner.waits(run) })),
    start() {
      running = (async () => {
        while (!stopping.signal.aborted) {
          const succeeded = await oneAtATime.run(stopping.signal, () => runner.tick()).catch(() => false);
          const pause = succeeded ? interval : afterFailure;
          await clock.sleep(pause, stopping.signal).catch(() => undefined);
        }
      })();
    },
    async close() {
      stopping.abort();
      await running;
    },
  };
}
