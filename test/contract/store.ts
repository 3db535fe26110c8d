import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IssuanceRecord, Page, Store, StoredPolicy } from '../../src/domain/ports/index.ts';
import { decisionRecordContract } from './decision-records.ts';
import { denialContract } from './denials.ts';
import { shadowContract } from './shadows.ts';
import {
  at,
  auditEvent,
  authority,
  callerEvidence,
  canary,
  enforcementRun,
  handshakes,
  hex,
  intent,
  proxyReport,
  revokedAuthority,
  revokedCertificate,
  rotation,
} from './store-samples.ts';

async function pages<T>(find: (pageToken?: string) => Promise<Page<T>>): Promise<T[][]> {
  const all: T[][] = [];
  let token: string | undefined;
  do {
    const page = await find(token);
    all.push([...page.items]);
    token = page.nextPageToken;
  } while (token !== undefined && all.length < 100);
  return all;
}

const serials = (records: readonly { serial: string }[]) => records.map(({ serial }) => serial);

/** What every Store does. @param open gives an empty one */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    describe('issuance', () => {
      test('gives back an intent, then its result, to the last byte', async () => {
        const first = intent();
        await store.issuance.recordIntent(first);
        expect(await store.issuance.get(first.serial)).toStrictEqual({ ...first, state: 'intended' });
        const certificate = randomBytes(700);
        await store.issuance.recordResult({ serial: first.serial, state: 'issued', certificate });
        expect(await store.issuance.get(first.serial)).toStrictEqual({
          ...first,
          state: 'issued',
          certificate,
        });
      });

      test('keeps the reason of a failed and of an abandoned issuance', async () => {
        for (const state of ['failed', 'abandoned'] as const) {
          const one = intent();
          await store.issuance.recordIntent(one);
          await store.issuance.recordResult({ serial: one.serial, state, reason: 'the key is away' });
          expect(await store.issuance.get(one.serial)).toStrictEqual({
            ...one,
            state,
            reason: 'the key is away',
          });
        }
      });

      test('knows no serial number that was not recorded', async () => {
        expect(await store.issuance.get('00')).toBeUndefined();
      });

      test('refuses a serial number for the second time and keeps the first record', async () => {
        const first = intent();
        await store.issuance.recordIntent(first);
        await expect(
          store.issuance.recordIntent({ ...first, spiffeId: 'spiffe://example.org/other' }),
        ).rejects.toMatchObject({ code: 'AlreadyExists' });
        expect(await store.issuance.get(first.serial)).toMatchObject({ spiffeId: first.spiffeId });
      });

      test('refuses a result without an intent, and a second result', async () => {
        const result = { serial: 'ab', state: 'failed', reason: 'one' } as const;
        await expect(store.issuance.recordResult(result)).rejects.toMatchObject({
          code: 'FailedPrecondition',
        });
        await store.issuance.recordIntent(intent({ serial: 'ab' }));
        await store.issuance.recordResult(result);
        await expect(
          store.issuance.recordResult({ serial: 'ab', state: 'issued', certificate: randomBytes(9) }),
        ).rejects.toMatchObject({ code: 'FailedPrecondition' });
        expect(await store.issuance.get('ab')).toMatchObject({ state: 'failed', reason: 'one' });
      });

      test('records 1000 at once and refuses each duplicate among them alone', async () => {
        const all = Array.from({ length: 1000 }, () => intent());
        const twice = all.filter((_, index) => index % 100 === 7);
        const outcomes = await Promise.allSettled(
          [...all, ...twice].map((one) => store.issuance.recordIntent(one)),
        );
        const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(refused).toHaveLength(twice.length);
        for (const { reason } of refused) expect(reason).toMatchObject({ code: 'AlreadyExists' });
        const { items } = await store.issuance.find({ limit: 1000 });
        expect(serials(items).sort()).toStrictEqual(serials(all).sort());
      });

      test('finds newest first, by each condition and by all together', async () => {
        const records = [
          intent({ serial: '01' }),
          intent({ serial: '02', spiffeId: 'spiffe://example.org/b' }),
          intent({ serial: '03', issuer: hex('other') }),
          intent({ serial: '04', notAfter: at(7200) }),
          intent({ serial: '05', spiffeId: 'spiffe://example.org/b', notAfter: at(7200) }),
        ];
        for (const record of records) await store.issuance.recordIntent(record);
        await store.issuance.recordResult({ serial: '04', state: 'failed', reason: 'x' });
        const find = async (query: object) =>
          serials((await store.issuance.find({ limit: 10, ...query })).items);
        expect(await find({})).toStrictEqual(['05', '04', '03', '02', '01']);
        expect(await find({ spiffeId: 'spiffe://example.org/b' })).toStrictEqual(['05', '02']);
        expect(await find({ issuer: hex('other') })).toStrictEqual(['03']);
        expect(await find({ state: 'failed' })).toStrictEqual(['04']);
        expect(await find({ expiresBefore: at(3600) })).toStrictEqual([]);
        expect(await find({ expiresBefore: at(3601) })).toStrictEqual(['03', '02', '01']);
        expect(await find({ expiresAfter: at(7200) })).toStrictEqual([]);
        expect(await find({ expiresAfter: at(3600) })).toStrictEqual(['05', '04']);
        expect(await find({ spiffeId: 'spiffe://example.org/b', expiresAfter: at(3600) })).toStrictEqual([
          '05',
        ]);
        expect(await find({ spiffeId: "'; drop table issuance; --" })).toStrictEqual([]);
      });

      test('pages without gap or repetition while records are added', async () => {
        const all = Array.from({ length: 7 }, (_, index) => intent({ serial: `0${index}` }));
        for (const one of all) await store.issuance.recordIntent(one);
        const found = await pages<IssuanceRecord>(async (pageToken) => {
          const page = await store.issuance.find({ limit: 3, ...(pageToken ? { pageToken } : {}) });
          await store.issuance.recordIntent(intent());
          return page;
        });
        expect(found.map(serials)).toStrictEqual([['06', '05', '04'], ['03', '02', '01'], ['00']]);
      });

      test('ends with a full last page without a token to an empty one', async () => {
        for (let index = 0; index < 4; index++) await store.issuance.recordIntent(intent());
        expect(
          (await pages((t) => store.issuance.find({ limit: 2, ...(t ? { pageToken: t } : {}) }))).length,
        ).toBe(2);
      });

      test('refuses a page token that it did not give for this query', async () => {
        for (let index = 0; index < 3; index++) await store.issuance.recordIntent(intent());
        const { nextPageToken = '' } = await store.issuance.find({ limit: 1 });
        expect(nextPageToken).not.toBe('');
        const refused = [
          '',
          'x',
          '\0',
          nextPageToken.slice(1),
          `${nextPageToken}A`,
          '1',
          'A'.repeat(22),
          'A'.repeat(1e5),
        ];
        for (const pageToken of refused)
          await expect(store.issuance.find({ limit: 1, pageToken })).rejects.toMatchObject({
            code: 'InvalidArgument',
          });
        await expect(
          store.issuance.find({ limit: 1, state: 'intended', pageToken: nextPageToken }),
        ).rejects.toMatchObject({ code: 'InvalidArgument' });
        await expect(store.audit.find({ limit: 1, pageToken: nextPageToken })).rejects.toMatchObject({
          code: 'InvalidArgument',
        });
      });

      test.each([0, -1, 1.5, 1001, Number.NaN])('refuses a page size of %d', async (limit) => {
        await expect(store.issuance.find({ limit })).rejects.toMatchObject({ code: 'InvalidArgument' });
        await expect(store.audit.find({ limit })).rejects.toMatchObject({ code: 'InvalidArgument' });
      });

      test('lists unresolved intents, oldest first, recorded before a moment', async () => {
        const recorded = [0, 1, 2, 3].map((second) =>
          intent({ serial: `0${second}`, recordedAt: at(second) }),
        );
        for (const one of recorded) await store.issuance.recordIntent(one);
        await store.issuance.recordResult({ serial: '01', state: 'issued', certificate: randomBytes(9) });
        expect(await store.issuance.findUnresolved(at(3), 10)).toStrictEqual([recorded[0], recorded[2]]);
        expect(await store.issuance.findUnresolved(at(4), 1)).toStrictEqual([recorded[0]]);
        expect(await store.issuance.findUnresolved(at(0), 10)).toStrictEqual([]);
      });

      test('counts live leaves by issuer and bundle version', async () => {
        const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
        const issued = [
          intent({ serial: '01', issuer: a, bundleVersion: a, notAfter: at(10) }),
          intent({ serial: '02', issuer: a, bundleVersion: a, notAfter: at(30) }),
          intent({ serial: '03', issuer: a, bundleVersion: b, notAfter: at(20) }),
          intent({ serial: '04', issuer: b, bundleVersion: b, notAfter: at(5) }),
          intent({ serial: '05', issuer: b, bundleVersion: a, notAfter: at(99) }),
          intent({ serial: '06', issuer: b, bundleVersion: a, notAfter: at(99) }),
        ];
        for (const one of issued) await store.issuance.recordIntent(one);
        for (const { serial } of issued.slice(0, 4))
          await store.issuance.recordResult({ serial, state: 'issued', certificate: randomBytes(9) });
        await store.issuance.recordResult({ serial: '05', state: 'failed', reason: 'x' });
        expect(await store.issuance.countLive(at(10))).toStrictEqual([
          { issuer: a, bundleVersion: a, count: 2, lastNotAfter: at(30) },
          { issuer: a, bundleVersion: b, count: 1, lastNotAfter: at(20) },
        ]);
        expect(await store.issuance.countLive(at(31))).toStrictEqual([]);
      });

      test('tells each certificate that is still valid, newest first', async () => {
        const issued = [
          intent({ serial: '01', notAfter: at(10) }),
          intent({ serial: '02', notAfter: at(20) }),
          intent({ serial: '03', notAfter: at(20) }),
          intent({ serial: '04', notAfter: at(30), recordedAt: at(3) }),
        ];
        for (const one of issued) await store.issuance.recordIntent(one);
        for (const serial of ['01', '02', '04'])
          await store.issuance.recordResult({ serial, state: 'issued', certificate: randomBytes(9) });
        await store.issuance.recordResult({ serial: '03', state: 'failed', reason: 'x' });
        const leaves = await store.issuance.liveLeaves(at(11));
        expect(leaves.map(({ serial }) => serial)).toStrictEqual(['04', '02']);
        expect(leaves[0]).toStrictEqual({
          serial: '04',
          spiffeId: 'spiffe://example.org/ns/shop/sa/cart',
          principal: 'kubernetes:main/shop/cart/0b5c',
          proxyKey: '0b5c',
          issuer: hex('issuer'),
          bundleVersion: hex('bundle'),
          notAfter: at(30),
          recordedAt: at(3),
          reported: false,
        });
        await store.adoption.record(proxyReport({ svidSerial: '02' }));
        const told = (await store.issuance.liveLeaves(at(11))).map(({ serial, reported }) => [
          serial,
          reported,
        ]);
        expect(told).toStrictEqual([
          ['04', false],
          ['02', true],
        ]);
      });

      test('tells each leaf in the making, newest first, until it has a result or would have ended', async () => {
        const made = (serial: string, end: number) =>
          intent({ serial, notAfter: at(end), recordedAt: at(3) });
        for (const one of [made('01', 10), made('02', 20), made('03', 20), made('04', 30)])
          await store.issuance.recordIntent(one);
        await store.issuance.recordResult({ serial: '03', state: 'failed', reason: 'x' });
        const pending = await store.issuance.pendingLeaves(at(11));
        expect(pending.map(({ serial }) => serial)).toStrictEqual(['04', '02']);
        expect(pending[0]).toMatchObject({ issuer: hex('issuer'), notAfter: at(30), recordedAt: at(3) });
        await store.issuance.recordResult({ serial: '02', state: 'issued', certificate: randomBytes(9) });
        expect(serials(await store.issuance.pendingLeaves(at(20)))).toStrictEqual(['04']);
      });

      test('prunes what has ended, more than one batch of it, and nothing else', async () => {
        const ended = Array.from({ length: 2100 }, () => intent({ notAfter: at(10) }));
        await Promise.all(
          [...ended, intent({ serial: '01', notAfter: at(11) })].map((one) =>
            store.issuance.recordIntent(one),
          ),
        );
        expect(await store.issuance.prune(at(11))).toBe(2100);
        expect(await store.issuance.prune(at(11))).toBe(0);
        expect(serials((await store.issuance.find({ limit: 10 })).items)).toStrictEqual(['01']);
      });
    });

    describe('authorities', () => {
      test('gives records back whole, in order of their creation', async () => {
        const issuing = authority({
          id: 'a-issuing',
          kind: 'issuing',
          state: 'prepared',
          serverId: 'server-1',
          rootFingerprint: hex('root-1'),
          intermediates: [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')],
          createdAt: at(1),
        });
        const root = authority();
        await store.authorities.save(issuing, root);
        expect(await store.authorities.list()).toStrictEqual([root, issuing]);
      });

      test('replaces a record with all that belongs to it', async () => {
        await store.authorities.save(
          authority({ serverId: 'server-1', intermediates: [Buffer.from('one'), Buffer.from('two')] }),
          authority({ id: 'root-2' }),
        );
        const changed = authority({ state: 'old', tainted: true, intermediates: [Buffer.from('three')] });
        await store.authorities.save(changed);
        expect(await store.authorities.list()).toStrictEqual([changed, authority({ id: 'root-2' })]);
      });

      test('raises the bundle sequence with each change of content, also back to an earlier one', async () => {
        expect(await store.authorities.bundleSequence()).toBe(0n);
        expect(await store.authorities.noteBundleContent('a', [])).toBe(1n);
        expect(await store.authorities.noteBundleContent('a', [])).toBe(1n);
        expect(await store.authorities.noteBundleContent('b', [])).toBe(2n);
        expect(await store.authorities.noteBundleContent('a', [])).toBe(3n);
        expect(await store.authorities.bundleSequence()).toBe(3n);
      });

      test('keeps which roots a bundle had, by what was noted first', async () => {
        await store.authorities.noteBundleContent('a', ['2', '1']);
        await store.authorities.noteBundleContent('b', ['2']);
        await store.authorities.noteBundleContent('a', ['3']);
        expect(await store.authorities.bundleContents()).toStrictEqual(
          new Map([
            ['a', ['1', '2']],
            ['b', ['2']],
          ]),
        );
      });

      test('raises it where a few are given another content, and where they are not any more', async () => {
        const note: typeof store.authorities.noteBundleContent = (...content) =>
          store.authorities.noteBundleContent(...content);
        const staged = { contentVersion: 'ab', roots: ['2', '1'] };
        expect(await note('a', ['1'])).toBe(1n);
        expect(await note('a', ['1'], staged)).toBe(2n);
        expect(await note('a', ['1'], staged)).toBe(2n);
        expect((await store.authorities.bundleContents()).get('ab')).toStrictEqual(['1', '2']);
        expect(await note('a', ['1'])).toBe(3n);
        expect(await note('ab', ['1', '2'])).toBe(4n);
      });

      test('raises it once for the same change noted many times at once', async () => {
        const noted = await Promise.all(
          Array.from({ length: 20 }, () => store.authorities.noteBundleContent('a', [])),
        );
        expect(new Set(noted)).toStrictEqual(new Set([1n]));
      });
    });

    describe('what is on no record', () => {
      test('is remembered until the last of it has ended', async () => {
        expect(await store.issuance.unrecordedUntil()).toBeUndefined();
        await store.issuance.noteUnrecorded(at(20));
        await store.issuance.noteUnrecorded(at(10));
        await store.issuance.noteUnrecorded(at(20));
        expect(await store.issuance.unrecordedUntil()).toStrictEqual(at(20));
      });
    });

    describe('drains', () => {
      test('are numbered from one, each cause once', async () => {
        expect(await store.drains.list()).toStrictEqual([]);
        const first = { generation: 1, cause: 'a', at: at(1) };
        expect(await store.drains.add('a', at(1))).toStrictEqual(first);
        const second = { generation: 2, cause: 'b', at: at(2) };
        expect(await store.drains.add('b', at(2))).toStrictEqual(second);
        expect(await store.drains.add('a', at(3))).toStrictEqual(first);
        expect(await store.drains.list()).toStrictEqual([first, second]);
      });
    });

    describe('rotations', () => {
      test('gives a rotation back whole, and replaces it', async () => {
        expect(await store.rotations.current()).toBeUndefined();
        const begun = rotation({ given: { from: 'upstream', fingerprint: hex('company') } });
        await store.rotations.save(begun);
        expect(await store.rotations.current()).toStrictEqual(begun);
        const further = rotation({
          phase: 'distribute',
          newRoot: hex('new'),
          words: [{ kind: 'excuse', target: '0b5c', by: 'operator:ann', reason: 'scrapped', at: at(7) }],
        });
        await store.rotations.save(further);
        expect(await store.rotations.current()).toStrictEqual(further);
        expect(await store.rotations.list(10)).toStrictEqual([further]);
      });

      test('gives a canary back whole, with what is not known left unknown', async () => {
        const withCanary = rotation({ phase: 'canary', canary });
        await store.rotations.save(withCanary);
        expect(await store.rotations.current()).toStrictEqual(withCanary);
        const ofNamesAlone = rotation({ canary: { ...canary, upTo: undefined, watched: [] } });
        await store.rotations.save(ofNamesAlone);
        expect(await store.rotations.current()).toStrictEqual(ofNamesAlone);
      });

      test('lets one alone be under way', async () => {
        await store.rotations.save(rotation());
        await expect(store.rotations.save(rotation({ id: 'b' }))).rejects.toMatchObject({
          code: 'AlreadyExists',
        });
        await store.rotations.save(rotation({ phase: 'done' }));
        const second = rotation({ id: 'b', startedAt: at(9) });
        await store.rotations.save(second);
        expect(await store.rotations.current()).toStrictEqual(second);
        expect((await store.rotations.list(10)).map(({ id }) => id)).toStrictEqual(['b', 'a']);
        expect(await store.rotations.list(1)).toHaveLength(1);
      });
    });

    describe('revocations', () => {
      test('keeps what was revoked, in order, and the first word on each', async () => {
        const [one, two] = [revokedCertificate({ serial: 'a1' }), revokedCertificate({ serial: 'a0' })];
        await store.revocations.revokeCertificates([one]);
        await store.revocations.revokeCertificates([
          revokedCertificate({ serial: 'a1', reason: 'again', revokedAt: at(9) }),
          two,
        ]);
        expect(await store.revocations.certificates()).toStrictEqual([one, two]);
        const root = revokedAuthority();
        await store.revocations.revokeAuthority(root);
        await store.revocations.revokeAuthority(revokedAuthority({ reason: 'again' }));
        expect(await store.revocations.authorities()).toStrictEqual([root]);
      });

      test('takes a CRL only with a larger number', async () => {
        const [first, second] = [1, 2].map((number) => ({
          issuer: hex('issuer'),
          number,
          der: randomBytes(99),
          signedAt: at(number),
        }));
        if (!first || !second) throw new Error('no CRLs');
        const other = { ...first, issuer: hex('other') };
        await store.revocations.saveCrl(second);
        await store.revocations.saveCrl(other);
        for (const stale of [first, second])
          await expect(store.revocations.saveCrl(stale)).rejects.toMatchObject({ code: 'Aborted' });
        const kept = await store.revocations.crls();
        expect(new Map(kept.map((crl) => [crl.issuer, crl]))).toStrictEqual(
          new Map([second, other].map((crl) => [crl.issuer, crl])),
        );
        const third = { ...second, number: 3, der: randomBytes(20) };
        await store.revocations.saveCrl(third);
        expect(await store.revocations.crls()).toContainEqual(third);
      });

      test('holds ten thousand, and forgets those that are named', async () => {
        const many = Array.from({ length: 10_000 }, (_, index) =>
          revokedCertificate({ serial: index.toString(16) }),
        );
        await store.revocations.revokeCertificates(many);
        const gone = many.slice(0, 6_000).map(({ serial }) => serial);
        expect(await store.revocations.forgetCertificates([...gone, 'none'])).toBe(6_000);
        expect(await store.revocations.certificates()).toStrictEqual(many.slice(6_000));
      });

      test('forgets an authority with its CRL', async () => {
        const [gone, stays] = [revokedAuthority(), revokedAuthority({ fingerprint: hex('other') })];
        for (const each of [gone, stays]) {
          await store.revocations.revokeAuthority(each);
          const crl = { issuer: each.fingerprint, number: 1, der: randomBytes(9), signedAt: at(1) };
          await store.revocations.saveCrl(crl);
        }
        await store.revocations.forgetAuthorities([gone.fingerprint]);
        expect(await store.revocations.authorities()).toStrictEqual([stays]);
        expect((await store.revocations.crls()).map(({ issuer }) => issuer)).toStrictEqual([hex('other')]);
      });
    });

    describe('audit', () => {
      test('numbers events without gaps, also beside writes that are refused', async () => {
        await store.issuance.recordIntent(intent({ serial: '01' }));
        const events = Array.from({ length: 50 }, (_, index) => auditEvent({ target: `t${index}` }));
        const outcomes = await Promise.allSettled(
          events.flatMap((event) => [
            store.issuance.recordIntent(intent({ serial: '01' })),
            store.audit.append(event),
          ]),
        );
        expect(outcomes.map(({ status }) => status)).toStrictEqual(
          events.flatMap(() => ['rejected', 'fulfilled']),
        );
        const { items } = await store.audit.find({ limit: 100 });
        expect(items).toStrictEqual(
          events.map((event, index) => ({ ...event, sequence: index + 1 })).reverse(),
        );
      });

      test('finds newest first by action, subject and time, in pages', async () => {
        await store.audit.append(auditEvent({ target: '1' }));
        await store.audit.append(auditEvent({ target: '2', action: 'operator.enrol', at: at(1) }));
        await store.audit.append(auditEvent({ target: '3', subject: 'operator:eve', at: at(2) }));
        await store.audit.append(
          auditEvent({ target: '4', outcome: 'refused', reason: 'no token', at: at(3) }),
        );
        const find = async (query: object) =>
          (await store.audit.find({ limit: 10, ...query })).items.map(({ target }) => target);
        expect(await find({})).toStrictEqual(['4', '3', '2', '1']);
        expect(await find({ action: 'certificate.issue' })).toStrictEqual(['4', '3', '1']);
        expect(await find({ subject: 'operator:eve' })).toStrictEqual(['3']);
        expect(await find({ after: at(1) })).toStrictEqual(['4', '3']);
        expect(await find({ action: 'operator.enrol', subject: 'operator:eve' })).toStrictEqual([]);
        const paged = await pages((t) => store.audit.find({ limit: 3, ...(t ? { pageToken: t } : {}) }));
        expect(paged.map((page) => page.map(({ target }) => target))).toStrictEqual([['4', '3', '2'], ['1']]);
        await expect(store.audit.find({ limit: 3, pageToken: 'x' })).rejects.toMatchObject({
          code: 'InvalidArgument',
        });
      });
    });

    describe('evidence', () => {
      test('gives back what was known of each workload, the last of each', async () => {
        const other = callerEvidence({ workload: 'files/shop/a', ports: new Map() });
        await store.evidence.save([callerEvidence({ ports: new Map() }), other]);
        await store.evidence.save([callerEvidence()]);
        expect(await store.evidence.list()).toStrictEqual([other, callerEvidence()]);
      });

      test('forgets the workloads that it is told', async () => {
        const gone = callerEvidence({ workload: 'files/shop/a' });
        await store.evidence.save([callerEvidence(), gone]);
        await store.evidence.remove([gone.workload, 'files/shop/unknown']);
        expect(await store.evidence.list()).toStrictEqual([callerEvidence()]);
      });
    });

    describe('enforcement', () => {
      const halted = enforcementRun({
        id: 'b2',
        scope: { kind: 'mesh' },
        state: 'halted',
        startedAt: at(5),
        revertUntil: undefined,
        halt: { kind: 'refused', workload: 'files/shop/cart', reason: 'why', reverted: false },
      });

      test('gives runs back whole, the last of each, in the order of their start', async () => {
        await store.enforcement.save([halted, enforcementRun({ steps: [] })]);
        await store.enforcement.save([enforcementRun()]);
        expect(await store.enforcement.list()).toStrictEqual([enforcementRun(), halted]);
      });

      test('forgets what holds for nothing any more, after long', async () => {
        const over = (id: string, updatedAt: Date) => enforcementRun({ id, state: 'reverted', updatedAt });
        await store.enforcement.save([over('old', at(1)), over('new', at(60)), halted, enforcementRun()]);
        expect(await store.enforcement.prune(at(60))).toBe(1);
        expect((await store.enforcement.list()).map(({ id }) => id)).toEqual(['a1', 'new', 'b2']);
      });
    });

    describe('adoption', () => {
      test('gives a report back whole, with never and unknown left out', async () => {
        await store.adoption.record(proxyReport());
        expect(await store.adoption.list()).toStrictEqual([proxyReport()]);
      });

      test('replaces what a proxy said before', async () => {
        await store.adoption.record(proxyReport());
        const later = proxyReport({ svidSerial: 'cd', consumers: [], lastSeenAt: at(60) });
        await store.adoption.record(later);
        await store.adoption.record(proxyReport({ proxyKey: '0a' }));
        expect(await store.adoption.list()).toStrictEqual([proxyReport({ proxyKey: '0a' }), later]);
        const { crlVersion: _gone, ...without } = proxyReport({ proxyKey: '0a' });
        await store.adoption.record(without);
        expect(await store.adoption.list()).toStrictEqual([without, later]);
      });

      test('keeps the handshakes of a proxy, whatever else it says, and none of one that has not reported', async () => {
        await store.adoption.recordHandshakes('0b5c', handshakes);
        expect(await store.adoption.handshakes('0b5c')).toBeUndefined();
        await store.adoption.record(proxyReport());
        expect(await store.adoption.handshakes('0b5c')).toBeUndefined();
        await store.adoption.recordHandshakes('0b5c', handshakes);
        await store.adoption.record(proxyReport({ svidSerial: 'cd' }));
        expect(await store.adoption.handshakes('0b5c')).toStrictEqual(handshakes);
        expect(await store.adoption.list()).toStrictEqual([proxyReport({ svidSerial: 'cd', handshakes })]);
      });

      test('marks a proxy disconnected and keeps what it said', async () => {
        await store.adoption.record(proxyReport());
        await store.adoption.markDisconnected('0b5c', at(9));
        await store.adoption.markDisconnected('unknown', at(9));
        expect(await store.adoption.list()).toStrictEqual([
          proxyReport({ connected: false, lastSeenAt: at(9) }),
        ]);
      });

      test('marks all disconnected, and keeps when each was last seen', async () => {
        await store.adoption.record(proxyReport());
        await store.adoption.record(proxyReport({ proxyKey: '0c', lastSeenAt: at(60) }));
        await store.adoption.markAllDisconnected();
        expect(await store.adoption.list()).toStrictEqual([
          proxyReport({ connected: false }),
          proxyReport({ proxyKey: '0c', lastSeenAt: at(60), connected: false }),
        ]);
      });

      test('forgets proxies not seen for long', async () => {
        await store.adoption.record(proxyReport({ proxyKey: 'a', lastSeenAt: at(1) }));
        await store.adoption.record(proxyReport({ proxyKey: 'b', lastSeenAt: at(2) }));
        expect(await store.adoption.prune(at(2))).toBe(1);
        expect((await store.adoption.list()).map(({ proxyKey }) => proxyKey)).toStrictEqual(['b']);
      });
    });

    describe('operators', () => {
      const ann = {
        subject: 'operator:ann',
        role: 'operator',
        grantedAt: at(1),
        grantedBy: 'local',
      } as const;

      test('grants, replaces, lists and revokes', async () => {
        expect(await store.operators.get('operator:ann')).toBeUndefined();
        await store.operators.grant(ann);
        await store.operators.grant({ ...ann, subject: 'oidc:https://i.example#1', role: 'author' });
        const viewer = { ...ann, role: 'viewer', grantedAt: at(2), grantedBy: 'operator:bob' } as const;
        await store.operators.grant(viewer);
        expect(await store.operators.get('operator:ann')).toStrictEqual(viewer);
        expect((await store.operators.list()).map(({ subject }) => subject)).toStrictEqual([
          'oidc:https://i.example#1',
          'operator:ann',
        ]);
        expect(await store.operators.revoke('operator:ann')).toBe(true);
        expect(await store.operators.revoke('operator:ann')).toBe(false);
        expect(await store.operators.get('operator:ann')).toBeUndefined();
      });

      test('gives a one-time credential to one of many that ask at once', async () => {
        const credential = { digest: hex('secret'), role: 'operator', expiresAt: at(10) } as const;
        await store.operators.addCredential(credential);
        await expect(store.operators.addCredential(credential)).rejects.toMatchObject({
          code: 'AlreadyExists',
        });
        const takers = Array.from({ length: 20 }, () =>
          store.operators.takeCredential(credential.digest, at(1)),
        );
        const taken = (await Promise.all(takers)).filter((one) => one !== undefined);
        expect(taken).toStrictEqual([credential]);
      });

      test('gives no expired and no unknown credential', async () => {
        const credential = { digest: hex('secret'), role: 'viewer', expiresAt: at(10) } as const;
        await store.operators.addCredential(credential);
        expect(await store.operators.takeCredential(hex('other'), at(1))).toBeUndefined();
        expect(await store.operators.takeCredential(credential.digest, at(10))).toBeUndefined();
      });
    });

    describe('policies', () => {
      const change = (expected: number, ...objects: readonly Omit<StoredPolicy, 'revision'>[]) => ({
        expected,
        at: at(expected),
        by: 'operator:ann',
        reason: `change ${expected}`,
        objects,
      });
      const policy = (called: string, text: string | undefined = `text of ${called}`) => ({
        kind: 'AuthorizationPolicy',
        namespace: 'shop',
        name: called,
        text,
        hash: text === undefined ? '' : hex(text),
      });
      const { current, apply, history } = {
        current: () => store.policies.current(),
        apply: (...args: Parameters<typeof change>) => store.policies.apply(change(...args)),
        history: (query: Parameters<Store['policies']['history']>[0]) => store.policies.history(query),
      };

      test('begins empty, at revision 0', async () => {
        expect(await current()).toStrictEqual({ revision: 0, policies: [] });
      });

      test('gives the newest version of each object, and none that was taken away', async () => {
        expect(await apply(0, policy('b'), policy('a'))).toBe(1);
        expect(await apply(1, policy('a', 'newer'), { ...policy('b'), text: undefined, hash: '' })).toBe(2);
        expect(await current()).toStrictEqual({
          revision: 2,
          policies: [{ ...policy('a', 'newer'), revision: 2 }],
        });
        await apply(2, policy('b', 'back'));
        expect((await current()).policies.map((each) => [each.name, each.revision])).toStrictEqual([
          ['a', 2],
          ['b', 3],
        ]);
      });

      test('gives what held after each revision, and none that has not been', async () => {
        await apply(0, policy('a'), policy('b'));
        await apply(1, policy('a', 'newer'), { ...policy('b'), text: undefined, hash: '' });
        expect(await store.policies.at(0)).toStrictEqual([]);
        expect(await store.policies.at(1)).toStrictEqual([
          { ...policy('a'), revision: 1 },
          { ...policy('b'), revision: 1 },
        ]);
        expect(await store.policies.at(2)).toStrictEqual([{ ...policy('a', 'newer'), revision: 2 }]);
        for (const none of [3, -1])
          await expect(store.policies.at(none)).rejects.toMatchObject({ code: 'NotFound' });
      });

      test('refuses a change by who did not see the last one, whole', async () => {
        await apply(0, policy('a'));
        await expect(apply(0, policy('a', 'other'), policy('c'))).rejects.toMatchObject({ code: 'Aborted' });
        expect(await current()).toStrictEqual({ revision: 1, policies: [{ ...policy('a'), revision: 1 }] });
      });

      test('lets one of two changes at once through', async () => {
        const outcomes = await Promise.allSettled([apply(0, policy('a')), apply(0, policy('b'))]);
        expect(outcomes.map(({ status }) => status).toSorted()).toStrictEqual(['fulfilled', 'rejected']);
        expect((await current()).revision).toBe(1);
      });

      test('keeps one candidate, whole, until it is promoted or withdrawn', async () => {
        const candidate = (id: string, base: number) => ({
          id,
          at: at(7),
          by: 'operator:ann',
          reason: 'a try',
          base,
          objects: [policy('a', 'tried'), { ...policy('b'), text: undefined, hash: '' }],
        });
        const { policies } = store;
        expect(await policies.candidate()).toBeUndefined();
        await apply(0, policy('a'), policy('b'));
        await expect(policies.propose(candidate('one', 0))).rejects.toMatchObject({ code: 'Aborted' });
        await policies.propose(candidate('one', 1));
        expect(await policies.candidate()).toStrictEqual(candidate('one', 1));
        await expect(policies.propose(candidate('two', 1))).rejects.toMatchObject({ code: 'AlreadyExists' });
        await expect(policies.withdraw('two')).rejects.toMatchObject({ code: 'NotFound' });
        // It holds for nothing, and other changes leave it alone.
        expect((await current()).policies.map(({ text }) => text)).toStrictEqual(['text of a', 'text of b']);
        await apply(1, policy('c'));
        expect(await policies.candidate()).toStrictEqual(candidate('one', 1));

        await policies.withdraw('one');
        expect(await policies.candidate()).toBeUndefined();
        await policies.propose(candidate('two', 2));
        const promoting = { ...change(2, policy('a', 'tried')), promotes: 'one' };
        await expect(policies.apply(promoting)).rejects.toMatchObject({ code: 'Aborted' });
        expect((await current()).revision).toBe(2);
        expect(await policies.apply({ ...promoting, promotes: 'two' })).toBe(3);
        expect(await policies.candidate()).toBeUndefined();
      });

      test('tells who changed what, newest first, page by page', async () => {
        await apply(0, policy('a'), policy('b'));
        await apply(1, policy('b', 'newer'));
        await apply(2, { ...policy('a'), text: undefined, hash: '' });
        const all = await pages((pageToken) =>
          history({ limit: 2, ...(pageToken === undefined ? {} : { pageToken }) }),
        );
        expect(all.map((page) => page.map(({ revision }) => revision))).toStrictEqual([[3, 2], [1]]);
        expect(all[1]?.[0]).toStrictEqual({
          revision: 1,
          at: at(0),
          by: 'operator:ann',
          reason: 'change 0',
          objects: [
            { ...policy('a'), revision: 1 },
            { ...policy('b'), revision: 1 },
          ],
        });
        const { items } = await history({ key: policy('a'), limit: 10 });
        expect(
          items.map(({ revision, objects }) => [revision, objects.map((each) => each.name)]),
        ).toStrictEqual([
          [3, ['a']],
          [1, ['a']],
        ]);
      });
    });

    describe('decision records', () => decisionRecordContract(() => store, pages));

    describe('denials', () => denialContract(() => store, pages));

    describe('what is seen of a candidate', () => shadowContract(() => store));

    test('checks that it would take a write', async () => {
      await store.check();
    });

    test('finishes on close what was begun, then answers Unavailable', async () => {
      const begun = store.issuance.recordIntent(intent());
      await store.close();
      await begun;
      for (const call of [
        () => store.issuance.recordIntent(intent()),
        () => store.issuance.get('00'),
        () => store.audit.append(auditEvent()),
        () => store.check(),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'Unavailable' });
      await store.close();
    });
  });
}
