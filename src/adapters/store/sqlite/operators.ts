import type { OperatorStore } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { isDuplicate } from './errors.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, eq, gt, lte } from './orm.ts';
import { oneTimeCredential, operator } from './schema.ts';

export function createOperatorStore(database: BetterSQLite3Database, executor: Executor): OperatorStore {
  return {
    get: (subject) =>
      executor.read(() => database.select().from(operator).where(eq(operator.subject, subject)).get()),

    list: () => executor.read(() => database.select().from(operator).orderBy(asc(operator.subject)).all()),

    grant: (record) =>
      executor.write(() => {
        const { subject, role, grantedAt, grantedBy } = record;
        const grant = { role, grantedAt, grantedBy };
        database
          .insert(operator)
          .values({ subject, ...grant })
          .onConflictDoUpdate({ target: operator.subject, set: grant })
          .run();
      }),

    revoke: (subject) =>
      executor.write(() => database.delete(operator).where(eq(operator.subject, subject)).run().changes > 0),

    addCredential: (credential) =>
      executor.write(() => {
        try {
          database.insert(oneTimeCredential).values(credential).run();
        } catch (error) {
          if (!isDuplicate(error)) throw error;
          throw new CitadelError('AlreadyExists', 'the credential was added before', { cause: error });
        }
      }),

    takeCredential: (digest, now) =>
      executor.write(() => {
        const taken = database
          .delete(oneTimeCredential)
          .where(and(eq(oneTimeCredential.digest, digest), gt(oneTimeCredential.expiresAt, now)))
          .returning()
          .get();
        database.delete(oneTimeCredential).where(lte(oneTimeCredential.expiresAt, now)).run();
        return taken;
      }),
  };
}
