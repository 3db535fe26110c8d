import { type Clock, describeError, type Log } from '../../kernel/index.ts';
import type { EvidenceService } from '../evidence/index.ts';
import type { AuditLog, Metrics } from '../ports/index.ts';
import { advance } from './advance.ts';
import { decide } from './decide.ts';
import { describeAction } from './describe.ts';
import { lookAt, newcomersOf, type Sight } from './look.ts';
import type { EnforcementRun } from './model.ts';
import { isLive, type StrictOrders } from './orders.ts';
import { progressOf } from './progress.ts';
import { isStrict, scopeText } from './scope.ts';
import type { Action, Newcomer, Seen } from './seen.ts';

export interface RunnerOptions {
  readonly mesh: Sight['mesh'] & { refresh(): void };
  readonly evidence: Sight['evidence'] & Pick<EvidenceService, 'watch'>;
  readonly orders: StrictOrders;
  readonly audit: AuditLog;
  readonly metrics: Pick<Metrics, 'enforcement'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Of one look: the rest waits for the next, so that others have their turn. */
const mostActions = 50;

/** Takes runs on, step by step, each journalled before it holds. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #since: Date;
  readonly #newcomers = new WeakMap<EnforcementRun, { snapshot: object; found: readonly Newcomer[] }>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#watch(options.orders.runs());
  }

  /** Does what is due of each run. @returns false when one could not go on */
  async tick(): Promise<boolean> {
    const { orders, log } = this.#options;
    let succeeded = true;
    for (const { id, state } of orders.runs()) {
      if (state !== 'running') continue;
      try {
        await this.#advance(id);
      } catch (error) {
        succeeded = false;
        log.error('an order to be strict could not go on; it is tried again', {
          order: id,
          cause: describeError(error),
        });
      }
    }
    this.#count();
    return succeeded;
  }

  /** What each step of a run waits for; empty where it waits for nothing. */
  waits(run: EnforcementRun): readonly string[] {
    const seen = run.state === 'running' ? this.#look(run) : undefined;
    const now = this.#options.clock.now();
    return run.steps.map((step) => {
      if (!seen) return '';
      const progress = progressOf(run, step, seen, now);
      return progress.kind === 'wait' ? progress.reason : '';
    });
  }

  /** Makes runs hold, as they are now. */
  async keep(...runs: readonly EnforcementRun[]): Promise<void> {
    const { orders, mesh } = this.#options;
    await orders.save(...runs);
    this.#watch(runs);
    mesh.refresh();
  }

  async #advance(id: string): Promise<void> {
    const { orders, clock } = this.#options;
    for (let count = 0; count < mostActions; count++) {
      const run = orders.runs().find((each) => each.id === id);
      const seen = run && this.#look(run);
      const action = run && seen && decide(run, seen, clock.now());
      if (!action) return;
      await this.#do(run, action);
    }
  }

  async #do(run: EnforcementRun, action: Action): Promise<void> {
    const { audit, clock, log } = this.#options;
    const { target = scopeText(run.scope), ...told } = describeAction(action);
    const at = clock.now();
    await audit.append({
      ...told,
      at,
      outcome: action.kind === 'halt' && !action.halt.reverted ? 'failed' : 'allowed',
      subject: 'server',
      proof: 'none',
      target,
      details: { order: run.id, by: run.startedBy },
    });
    await this.keep(advance(run, action, at));
    const fields = { order: run.id, workload: target, reason: told.reason };
    if (action.kind === 'halt') log.warn('an order to be strict has halted', fields);
    else log.info('an order to be strict goes on', fields);
  }

  #look(run: EnforcementRun): Seen | undefined {
    const { mesh, evidence, clock } = this.#options;
    // Before the sources have answered a workload that is not there is none that is gone.
    const snapshot = mesh.snapshot();
    if (!snapshot) return undefined;
    const newcomers = () => {
      const known = this.#newcomers.get(run);
      if (known?.snapshot === snapshot) return known.found;
      const found = newcomersOf(mesh, run, snapshot);
      this.#newcomers.set(run, { snapshot, found });
      return found;
    };
    return lookAt({ mesh, evidence }, snapshot, { since: this.#since, newcomers, now: clock.now() });
  }

  /** Of a workload that two orders name the one that runs counts: scopes of two that run do not meet. */
  #watch(changed: readonly EnforcementRun[]): void {
    const { evidence, orders } = this.#options;
    const running = orders.runs().filter(({ state }) => state === 'running');
    const strict = running.flatMap(({ steps }) => steps.filter(isStrict));
    const watched = new Map(strict.map(({ workload, known }) => [workload, known]));
    for (const { workload } of changed.flatMap(({ steps }) => steps))
      evidence.watch(workload, watched.get(workload) ?? []);
  }

  #count(): void {
    const { orders, mesh, metrics } = this.#options;
    const live = orders.runs().filter(isLive);
    const count = (state: EnforcementRun['state']) => live.filter((run) => run.state === state).length;
    metrics.enforcement({
      running: count('running'),
      halted: count('halted'),
      done: count('done'),
      workloads: mesh.snapshot()?.strict.size ?? 0,
    });
  }
}
