import { openSqliteStore } from '../adapters/store/sqlite/index.ts';
import type { AuthorityRecord } from '../domain/ports/index.ts';
import { findEndedRoot, type RotationOrder, replaceEndedRoot } from '../domain/rotation/index.ts';
import { type Log, systemClock, systemEntropy } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import type { AppOverrides } from './create-app.ts';
import { openKeyHomes } from './key-homes.ts';
import { loadServerId } from './server-id.ts';
import { givenRoots, newRoot } from './upstream.ts';

export interface EndedRoot extends AsyncDisposable {
  readonly root: AuthorityRecord;
  /** @returns the new root */
  replace(order: RotationOrder): Promise<AuthorityRecord>;
}

/**
 * Opens the state of a stopped server whose root has ended.
 * @throws CitadelError FailedPrecondition where it has not, or the server runs
 */
export async function openEndedRoot(
  config: ServerConfig,
  log: Log,
  overrides: Pick<AppOverrides, 'clock' | 'store' | 'homes'> = {},
): Promise<EndedRoot> {
  await using building = new AsyncDisposableStack();
  const ports = { clock: overrides.clock ?? systemClock, entropy: systemEntropy, log };
  const store = building.adopt(
    overrides.store ?? (await openSqliteStore({ file: config.store.value.file, ...ports })),
    (opened) => opened.close(),
  );
  const root = await findEndedRoot({ store, clock: ports.clock });
  const configured = await openKeyHomes(config, ports);
  const homes = building.adopt(overrides.homes?.(configured) ?? configured, (opened) => opened.close());
  const { backdate, ...defaults } = newRoot(config);
  const serverId = await loadServerId(config.dataDirectory, ports.entropy);
  const given = givenRoots({ config, serverId, store, homes, ...ports });
  const opened = building.move();
  return {
    root,
    replace: (order) =>
      replaceEndedRoot(order, {
        trustDomain: config.trustDomain.name,
        store,
        audit: store.audit,
        newKeys: homes.root,
        keysOf: homes.rootOf,
        backdate,
        given,
        defaults,
        ...ports,
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
