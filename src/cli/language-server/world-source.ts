import type { PolicyWorld } from '../../domain/policy/index.ts';

export interface WorldListener {
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** Where a language server has from who is there: the last one that could be had. */
export interface WorldSource {
  current(): PolicyWorld | undefined;
  start(listener: WorldListener): void;
  /** Looks again, unless it does already. */
  refresh(): void;
}

/** Milliseconds between two looks at what is somewhere else. */
const interval = 60_000;

/** @param load undefined: nothing is known of any world */
export function worldSource(load: (() => Promise<PolicyWorld>) | undefined): WorldSource {
  let world: PolicyWorld | undefined;
  let loading = false;
  let listener: WorldListener | undefined;
  const look = async (from: () => Promise<PolicyWorld>) => {
    loading = true;
    try {
      world = await from();
      listener?.changed();
    } catch (error) {
      listener?.failed(error);
    } finally {
      loading = false;
    }
  };
  const refresh = () => {
    if (load !== undefined && !loading) void look(load);
  };
  return {
    current: () => world,
    start(given) {
      listener = given;
      refresh();
      // The editor's end of the pipe keeps the process, not this.
      if (load !== undefined) setInterval(refresh, interval).unref();
    },
    refresh,
  };
}
