import { expect, it } from 'vitest';
import type { IssuanceRecord } from '../../../../src/domain/ports/index.ts';
import { createRevoke, type RevocationOrder } from '../../../../src/domain/revocation/revoke.ts';
import { silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { memoryAudit } from '../../../fakes/memory-audit.ts';

const spiffeId = 'spiffe://example.org/ns/shop/sa/web';
const order: RevocationOrder = {
  target: { kind: 'identity', spiffeId },
  code: 'keyCompromise',
  reason: 'stolen',
  by: 'operator:ann',
  proof: 'client-certificate',
  dryRun: false,
};

/** Of an identity with so many valid certificates, where there is room for so many more on CRLs. */
function withRoom(certificates: number, room: number) {
  const revoked: string[] = [];
  const items = Array.from(
    { length: certificates },
    (_, index): Partial<IssuanceRecord> => ({
      serial: `0${index}`,
      spiffeId,
      issuer: 'a',
      principal: 'development:web',
      state: 'issued',
      notAfter: new Date(Date.now() + 3_600_000),
    }),
  );
  const audit = memoryAudit();
  const ports = {
    issuance: { get: async () => undefined, find: async () => ({ items }) },
    authorities: { list: async () => [] },
    audit,
    revocations: {
      isRevoked: () => false,
      room: () => room,
      revokeCertificates: async (more: readonly { readonly serial: string }[]) =>
        void revoked.push(...more.map(({ serial }) => serial)),
    },
    clock: systemClock,
    log: silentLog,
  };
  // Of the records it reads what is in them.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { revoke: createRevoke(ports as unknown as Parameters<typeof createRevoke>[0]), revoked, audit };
}

it('takes back as many as CRLs have room for', async () => {
  const { revoke, revoked } = withRoom(3, 3);
  expect(await revoke(order)).toMatchObject({ certificates: 3 });
  expect(revoked).toHaveLength(3);
});

it.each([false, true])('refuses what would take the CRLs from everybody (dry run: %s)', async (dryRun) => {
  const { revoke, revoked, audit } = withRoom(3, 2);
  await expect(revoke({ ...order, dryRun })).rejects.toMatchObject({
    code: 'FailedPrecondition',
    message: expect.stringContaining('room for, which is 2'),
  });
  expect(revoked).toEqual([]);
  expect((await audit.head()).size).toBe(0);
});
