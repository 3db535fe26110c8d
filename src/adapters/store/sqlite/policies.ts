import type {
  PolicyCandidate,
  PolicyChange,
  PolicyStore,
  StoredPolicy,
} from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, desc, eq, inArray, lt, lte, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { policyCandidate, policyCandidateObject, policyRevision, policyVersion } from './schema.ts';
import { candidateId, forgetShadow } from './shadows.ts';

type VersionRow = typeof policyVersion.$inferSelect;

export function createPolicyStore(database: BetterSQLite3Database, executor: Executor): PolicyStore {
  const revision = (): number =>
    database
      .select({ newest: sql<number | null>`max(${policyRevision.revision})` })
      .from(policyRevision)
      .get()?.newest ?? 0;

  const holding = (until: number): readonly StoredPolicy[] => {
    const { kind, namespace, name } = policyVersion;
    const newest = database
      .select({
        kind,
        namespace,
        name,
        revision: sql<number>`max(${policyVersion.revision})`.as('newest'),
      })
      .from(policyVersion)
      .where(lte(policyVersion.revision, until))
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
    return rows.map(({ version }) => toStored(version));
  };

  const removeCandidate = () => {
    database.delete(policyCandidateObject).run();
    database.delete(policyCandidate).run();
    forgetShadow(database);
  };

  return {
    current: () =>
      executor.read(() => {
        const present = revision();
        return { revision: present, policies: holding(present) };
      }),

    at: (asked) =>
      executor.read(() => {
        if (asked < 0 || asked > revision())
          throw new CitadelError('NotFound', `the policies have no revision ${asked}`);
        return holding(asked);
      }),

    apply: (change: PolicyChange) =>
      executor.write(() => {
        const present = revision();
        if (change.expected !== present) {
          throw changedMeanwhile();
        }
        const { at, by, reason, promotes } = change;
        if (promotes !== undefined) {
          if (candidateId(database) !== promotes) {
            throw new CitadelError('Aborted', 'the candidate is another one meanwhile: look at it again');
          }
          removeCandidate();
        }
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

    candidate: () =>
      executor.read(() => {
        const row = database.select().from(policyCandidate).get();
        if (!row) return undefined;
        const { slot: _, ...head } = row;
        const { kind, namespace, name } = policyCandidateObject;
        const rows = database
          .select()
          .from(policyCandidateObject)
          .orderBy(asc(kind), asc(namespace), asc(name))
          .all();
        return {
          ...head,
          objects: rows.map(({ text, ...object }) => ({ ...object, text: text ?? undefined })),
        };
      }),

    propose: ({ objects, ...head }: PolicyCandidate) =>
      executor.write(() => {
        if (candidateId(database) !== undefined) throw candidateExists();
        if (head.base !== revision()) throw changedMeanwhile();
        database
          .insert(policyCandidate)
          .values({ slot: 1, ...head })
          .run();
        for (const { text, ...object } of objects) {
          database
            .insert(policyCandidateObject)
            .values({ ...object, text: text ?? null })
            .run();
        }
      }),

    withdraw: (id) =>
      executor.write(() => {
        if (candidateId(database) !== id)
          throw new CitadelError('NotFound', 'there is no such candidate any more');
        removeCandidate();
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

function changedMeanwhile(): CitadelError {
  return new CitadelError('Aborted', 'the policies have been changed meanwhile: look at them again');
}

function candidateExists(): CitadelError {
  return new CitadelError(
    'AlreadyExists',
    'another candidate is tried already: citadel policy shadow status shows it; promote it, or take it back',
  );
}
