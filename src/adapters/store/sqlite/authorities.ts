import type { AuthorityRecord, AuthorityStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, eq } from './orm.ts';
import { authority, authorityIntermediate, bundleContent, bundleState } from './schema.ts';

export function createAuthorityStore(database: BetterSQLite3Database, executor: Executor): AuthorityStore {
  function saveOne({ intermediates, ...record }: AuthorityRecord): void {
    const row = {
      ...record,
      serverId: record.serverId ?? null,
      certificate: Buffer.from(record.certificate),
    };
    database.insert(authority).values(row).onConflictDoUpdate({ target: authority.id, set: row }).run();
    database.delete(authorityIntermediate).where(eq(authorityIntermediate.authorityId, record.id)).run();
    for (const [position, certificate] of intermediates.entries())
      database
        .insert(authorityIntermediate)
        .values({ authorityId: record.id, position, certificate: Buffer.from(certificate) })
        .run();
  }

  const currentBundle = () => database.select().from(bundleState).get();

  return {
    list: () =>
      executor.read(() => {
        const chains = new Map<string, Uint8Array[]>();
        const links = database
          .select()
          .from(authorityIntermediate)
          .orderBy(asc(authorityIntermediate.position));
        for (const { authorityId, certificate } of links.all()) {
          const chain = chains.get(authorityId);
          if (chain) chain.push(certificate);
          else chains.set(authorityId, [certificate]);
        }
        const rows = database.select().from(authority).orderBy(asc(authority.createdAt), asc(authority.id));
        return rows.all().map(({ serverId, ...row }) => ({
          ...row,
          ...(serverId === null ? {} : { serverId }),
          intermediates: chains.get(row.id) ?? [],
        }));
      }),

    save: (...records) =>
      executor.write(() => {
        for (const record of records) saveOne(record);
      }),

    bundleSequence: () => executor.read(() => BigInt(currentBundle()?.sequence ?? 0)),

    noteBundleContent: (contentVersion, roots, staged) =>
      executor.write(() => {
        const contents = [{ contentVersion, roots }, ...(staged ? [staged] : [])];
        database
          .insert(bundleContent)
          .values(contents.map((each) => ({ ...each, roots: each.roots.toSorted() })))
          .onConflictDoNothing()
          .run();
        const current = currentBundle();
        const inForce = contents.map((each) => each.contentVersion).join(' ');
        if (current?.contentVersion === inForce) return BigInt(current.sequence);
        const next = { sequence: (current?.sequence ?? 0) + 1, contentVersion: inForce };
        database
          .insert(bundleState)
          .values({ id: 1, ...next })
          .onConflictDoUpdate({ target: bundleState.id, set: next })
          .run();
        return BigInt(next.sequence);
      }),

    bundleContents: () =>
      executor.read(
        () =>
          new Map(
            database
              .select()
              .from(bundleContent)
              .all()
              .map(({ contentVersion, roots }) => [contentVersion, roots]),
          ),
      ),
  };
}
