import { trialFilters } from '../ports/index.ts';
import { isCurrent } from './policy-status.ts';
import type { ProxyState } from './proxy-tracker.ts';
import { hasTooMuch, type MeshIndex } from './view.ts';

/** How far the change that is tried is at the proxies of one workload for which it decides otherwise. */
export interface ShadowStanding {
  readonly workload: string;
  /** The id of what its proxies are to compare. */
  readonly trial: string;
  /**
   * `current`: each of its proxies has accepted it; `pending`: not yet; `refused`: by a proxy, or for it; `absent`: no
   * proxy of it is connected; `none`: there is none beside it; `too-much`: its proxy could not be told both.
   */
  readonly standing: 'current' | 'pending' | 'refused' | 'absent' | 'none' | 'too-much';
  /** Why, where there is more to say. */
  readonly detail: string | undefined;
  /** Since when each of its proxies has it. */
  readonly since: Date | undefined;
  /** Whether it is the candidate itself that a proxy refuses, and not something beside it. */
  readonly refusesTrial: boolean;
}

export function shadowStandings(index: MeshIndex, proxies: readonly ProxyState[]): readonly ShadowStanding[] {
  return [...index.shadows.byWorkload].map(([id, { id: trial, policies }]) => {
    const workload = index.snapshot.workloads.get(id);
    const standing = (
      is: ShadowStanding['standing'],
      { detail, since, refusesTrial = false }: Partial<ShadowStanding> = {},
    ): ShadowStanding => ({
      workload: id,
      trial,
      standing: is,
      detail,
      since,
      refusesTrial,
    });
    if (!workload || workload.proxy === 'none') return standing('none');
    if (hasTooMuch(index, workload, policies)) return standing('too-much');
    const streams = proxies.filter((proxy) => proxy.workload === id);
    if (streams.length === 0) return standing('absent');
    const errors = streams.flatMap(({ failure, resources }) => [
      ...(failure === undefined ? [] : [{ error: failure, ofTrial: false }]),
      ...resources.flatMap(({ name, error }) =>
        error === undefined ? [] : [{ error, ofTrial: isOfTrial(name) }],
      ),
    ]);
    const worst = errors.find((each) => each.ofTrial) ?? errors[0];
    if (worst) return standing('refused', { detail: worst.error, refusesTrial: worst.ofTrial });
    if (!streams.every(isCurrent)) return standing('pending');
    return standing('current', { since: takenAt(streams) });
  });
}

const isOfTrial = (name: string) => Object.values(trialFilters).some((filter) => name.endsWith(`/${filter}`));

/** When the last of what policies are told by was accepted: what is tried was among it, or came before. */
function takenAt(streams: readonly ProxyState[]): Date | undefined {
  return streams
    .flatMap(({ resources }) => resources)
    .flatMap(({ typeUrl, acceptedAt }) =>
      typeUrl.endsWith('.TypedExtensionConfig') && acceptedAt ? [acceptedAt] : [],
    )
    .reduce<Date | undefined>((last, at) => (last && last > at ? last : at), undefined);
}
