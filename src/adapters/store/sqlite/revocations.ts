import type { RevocationStore, RevokedCertificate, StoredCrl } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, inArray, lt } from './orm.ts';
import { crl, revokedAuthority, revokedCertificate } from './schema.ts';

/** Serials in one statement: below SQLite's limit of variables. */
const together = 500;

export function createRevocationStore(database: BetterSQLite3Database, executor: Executor): RevocationStore {
  return {
    revokeCertificates: (revoked) =>
      executor.write(() => {
        for (const each of revoked)
          database.insert(revokedCertificate).values(each).onConflictDoNothing().run();
      }),

    revokeAuthority: (revoked) =>
      executor.write(() => {
        database.insert(revokedAuthority).values(revoked).onConflictDoNothing().run();
      }),

    certificates: () =>
      executor.read(() =>
        database
          .select()
          .from(revokedCertificate)
          .orderBy(asc(revokedCertificate.sequence))
          .all()
          .map(({ sequence: _sequence, ...certificate }): RevokedCertificate => certificate),
      ),

    authorities: () =>
      executor.read(() =>
        database.select().from(revokedAuthority).orderBy(asc(revokedAuthority.revokedAt)).all(),
      ),

    saveCrl: (saved) =>
      executor.write(() => {
        const row = { ...saved, der: Buffer.from(saved.der) };
        const { changes } = database
          .insert(crl)
          .values(row)
          .onConflictDoUpdate({ target: crl.issuer, set: row, setWhere: lt(crl.number, saved.number) })
          .run();
        if (changes === 0)
          throw new CitadelError(
            'Aborted',
            'a CRL of this authority with as large a number is stored already',
          );
      }),

    crls: () =>
      executor.read((): readonly StoredCrl[] => database.select().from(crl).orderBy(asc(crl.issuer)).all()),

    async forgetCertificates(serials) {
      let forgotten = 0;
      for (let at = 0; at < serials.length; at += together) {
        const some = serials.slice(at, at + together);
        forgotten += await executor.write(
          () =>
            database.delete(revokedCertificate).where(inArray(revokedCertificate.serial, some)).run().changes,
        );
      }
      return forgotten;
    },

    forgetAuthorities: (fingerprints) =>
      executor.write(() => {
        if (fingerprints.length === 0) return;
        const some = [...fingerprints];
        database.delete(revokedAuthority).where(inArray(revokedAuthority.fingerprint, some)).run();
        database.delete(crl).where(inArray(crl.issuer, some)).run();
      }),
  };
}
