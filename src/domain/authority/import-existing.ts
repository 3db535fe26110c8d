import { CitadelError } from '../../kernel/index.ts';
import { parseCertificate, whyNoCrls } from '../../pki/index.ts';
import { bundleRoots } from './decide.ts';
import {
  checkChain,
  homeOf,
  type ImportOptions,
  keylessRoot,
  place,
  placeKey,
  signsLeaves,
} from './existing.ts';
import type { GivenRoot } from './given-root.ts';

/**
 * Takes an existing authority over at the first start; later starts find it in the store. What it may do follows from
 * its own certificate: with room below it (no path length, or at least 1) it signs our issuing authorities; with path
 * length 0, as Istio's own scripts make it, it signs leaves itself. Where another root is active nothing is taken over: roots
 * change by rotation.
 * @throws CitadelError FailedPrecondition where chain, key and store do not fit together
 */
export async function importExistingAuthority(options: ImportOptions): Promise<void> {
  const { existing, store, clock, log } = options;
  const certificate = parseCertificate(existing.certificate);
  const known = await store.list();
  if (known.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) return;
  if (known.some(({ kind, state }) => kind === 'root' && state === 'active')) {
    log.warn(
      'the configuration names an existing authority, and another root is active: nothing is taken over; to rotate to it: citadel rotate start --from existing',
      { named: certificate.fingerprint },
    );
    return;
  }
  const root = await checkChain(options, certificate);
  const { records, signs, keyBackend } = await place(options, certificate, root, 'active');
  const others = existing.roots
    .filter((der) => parseCertificate(der).fingerprint !== root.fingerprint)
    .map((der) => keylessRoot(der, 'old', clock));
  await store.save(...records, ...others);
  await options.audit.append({
    at: clock.now(),
    action: 'authority.import',
    outcome: 'allowed',
    subject: 'server',
    proof: 'none',
    target: certificate.fingerprint,
    reason: 'an existing authority is taken over by configuration',
    details: {
      root: root.fingerprint,
      signs,
      keyBackend,
    },
  });
  const noCrls = signsLeaves(certificate) ? whyNoCrls(certificate) : undefined;
  if (noCrls !== undefined)
    log.warn('the existing authority signs no CRLs: proxies will refuse no revoked certificate', {
      cause: noCrls,
    });
  log.info('took over an existing authority', { subject: certificate.subject, root: root.fingerprint });
}

/**
 * An existing authority as the next root of a rotation.
 * @throws CitadelError FailedPrecondition where its chain is unfit, or its file names roots that are not trusted yet beside
 *   its own: a rotation brings one
 */
export async function givenByImport(options: Omit<ImportOptions, 'audit' | 'log'>): Promise<GivenRoot> {
  const { existing, store } = options;
  const certificate = parseCertificate(existing.certificate);
  const root = await checkChain(options, certificate);
  const trusted = new Set(bundleRoots(await store.list()).map(({ fingerprint }) => fingerprint));
  const more = existing.roots
    .map((der) => parseCertificate(der))
    .filter(({ fingerprint }) => fingerprint !== root.fingerprint && !trusted.has(fingerprint));
  if (more.length > 0)
    throw new CitadelError(
      'FailedPrecondition',
      `a rotation brings one new root, and the configuration names more: leave out ${more.map(({ subject }) => subject).join(', ')}`,
    );
  const noCrls = signsLeaves(certificate) ? whyNoCrls(certificate) : undefined;
  const { home, signs } = homeOf(options, certificate);
  const between = certificate.fingerprint === root.fingerprint ? 0 : 1 + existing.intermediates.length;
  return {
    root: root.der,
    below: between + (signsLeaves(certificate) ? 0 : 1),
    signer: {
      kind: 'key',
      certificate: existing.certificate,
      intermediates: existing.intermediates,
      signsLeaves: signsLeaves(certificate),
      home,
      borrowKey: async (id) => placeKey(certificate, existing, await home(), signs, id),
    },
    ...(noCrls === undefined ? {} : { noCrls }),
    place: async () => (await place(options, certificate, root, 'prepared')).records,
  };
}
