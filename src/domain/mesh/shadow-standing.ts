import { isCurrent } from './policy-status.ts';
import type { ProxyState } from './proxy-tracker.ts';
import { hasTooMuch, type MeshIndex } from './view.ts';

/** How far the change that is tried is at the proxies of one workload for which it decides otherwise. */
export interface ShadowStanding {
  readonly workload: string;
  /**
   * `current`: each of its proxies has accepted it; `pending`: not yet; `refused`: by a proxy, or for it; `absent`: no
   * proxy of it is connected; `none`: there is none beside it; `too-much`: its proxy could not be told both.
   */
  readonly standing: 'current' | 'pending' | 'refused' | 'absent' | 'none' | 'too-much';
  /** Why, where there is more to say. */
  readonly detail: string | undefined;
  /** Since when each of its proxies has it. */
  readonly since: Date | undefined;
}

export function shadowStandings(index: MeshIndex, proxies: readonly ProxyState[]): readonly ShadowStanding[] {
  return [...index.shadows.byWorkload].map(([id, { policies }]) => {
    const workload = index.snapshot.workloads.get(id);
    const standing = (is: ShadowStanding['standing'], detail?: string, since?: Date): ShadowStanding => ({
      workload: id,
      standing: is,
      detail,
      since,
    });
    if (!workload || workload.proxy === 'none') return standing('none');
    if (hasTooMuch(index, workload, policies)) return standing('too-much');
    const streams = proxies.filter((proxy) => proxy.workload === id);
    if (streams.length === 0) return standing('absent');
    const [error] = streams.flatMap(
      ({ failure, resources }) => failure ?? resources.flatMap((each) => each.error ?? []),
    );
    if (error !== undefined) return standing('refused', error);
    if (!streams.every(isCurrent)) return standing('pending');
    return standing('current', undefined, takenAt(streams));
  });
}

/** When the last of what policies are told by was accepted: what is tried was among it, or came before. */
function takenAt(streams: readonly ProxyState[]): Date | undefined {
  return streams
    .flatMap(({ resources }) => resources)
    .flatMap(({ typeUrl, acceptedAt }) =>
      typeUrl.endsWith('.TypedExtensionConfig') && acceptedAt ? [acceptedAt] : [],
    )
    .reduce<Date | undefined>((last, at) => (last && last > at ? last : at), undefined);
}
