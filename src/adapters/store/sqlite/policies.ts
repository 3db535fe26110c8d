import type { PolicyChange, PolicyStore, StoredPolicy } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, desc, eq, inArray, lt, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { policyRevision, policyVersion } from './schema.ts';

type VersionRow = typeof policyVersion.$inferSelect;

export function createPolicyStore(database: BetterSQLite3Database, executor: Executor): PolicyStore {
  const revision = (): number =>
    database
      .select({ newest: sql<number | null>`max(${policyRevision.revision})` })
      .from(policyRevision)
      .get()?.newest ?? 0;

  return {
    current: () =>
      executor.read(() => {
        const { kind, namespace, name } = policyVersion;
        const newest = database
          .select({
            kind,
            namespace,
            name,
            revision: sql<number>`max(${policyVersion.revision})`.as('newest'),
          })
          .from(policyVersion)
          .groupBy(kind, namespace, name)
          .as('newest_version');
        const rows = database
          .select({ version: policyVersion })
          .from(policyVersion)
          .innerJoin(
            newest,
            and(
              eq(kind, newest.kind),
              eq(namespace, newest.namespace),
              eq(name, newest.name),
              eq(policyVersion.revision, newest.revision),
            ),
          )
          .where(sql`${policyVersion.text} is not null`)
          .orderBy(asc(kind), asc(namespace), asc(name))
          .all();
        return { revision: revision(), policies: rows.map(({ version }) => toStored(version)) };
      }),

    apply: (change: PolicyChange) =>
      executor.write(() => {
        const present = revision();
        if (change.expected !== present) {
          throw new CitadelError('Aborted', 'the policies have been changed meanwhile: look at them again');
        }
        const { at, by, reason } = change;
        const next = present + 1;
        database.insert(policyRevision).values({ revision: next, at, by, reason }).run();
        for (const { text, ...object } of change.objects) {
          database
            .insert(policyVersion)
            .values({ ...object, text: text ?? null, revision: next })
            .run();
        }
        return next;
      }),

    history: ({ key, limit: asked, pageToken: token }) =>
      executor.read(() => {
        const limit = validLimit(asked);
        const scope = ['policies', key?.kind, key?.namespace, key?.name];
        const before = token === undefined ? undefined : readPageToken(token, scope);
        const ofKey =
          key &&
          and(
            eq(policyVersion.kind, key.kind),
            eq(policyVersion.namespace, key.namespace),
            eq(policyVersion.name, key.name),
          );
        const touched =
          ofKey && database.select({ revision: policyVersion.revision }).from(policyVersion).where(ofKey);
        const rows = database
          .select()
          .from(policyRevision)
          .where(
            and(
              before === undefined ? undefined : lt(policyRevision.revision, before),
              touched && inArray(policyRevision.revision, touched),
            ),
          )
          .orderBy(desc(policyRevision.revision))
          .limit(limit + 1)
          .all();
        const items = rows.slice(0, limit).map((row) => ({
          ...row,
          objects: database
            .select()
            .from(policyVersion)
            .where(and(eq(policyVersion.revision, row.revision), ofKey))
            .orderBy(asc(policyVersion.kind), asc(policyVersion.namespace), asc(policyVersion.name))
            .all()
            .map(toStored),
        }));
        const last = rows.length > limit ? items.at(-1) : undefined;
        return last ? { items, nextPageToken: pageToken(last.revision, scope) } : { items };
      }),
  };
}

function toStored({ text, ...row }: VersionRow): StoredPolicy {
  return { ...row, text: text ?? undefined };
}
