import { CitadelError } from '../../kernel/index.ts';
import {
  type CertificateSigner,
  createCertificateRequest,
  createCrl,
  parseCertificate,
} from '../../pki/index.ts';
import {
  authorityRecord,
  createRootUpstream,
  type GivenSigner,
  issuingAlgorithm,
} from '../authority/index.ts';
import type { GivenRootSource, UpstreamAuthority } from '../ports/index.ts';
import { resolveWanted } from './given-root.ts';
import type { WantedRoot } from './planning.ts';
import { destroyed, handOutBundle, type LeafSigner, type RehearsedScene } from './rehearsed-scene.ts';
import type { Done } from './rehearsed-steps.ts';

type Found = { readonly root: Uint8Array };
type KeySigner = Extract<GivenSigner, { kind: 'key' }>;

/** What a rotation to a root that others have made would do with it: the root is looked at, and nothing of it is taken. */
export async function rehearseGiven(from: GivenRootSource, scene: RehearsedScene): Promise<void> {
  const { steps, clock, leafTtl } = scene;
  const found = await steps.do('look at the root that the configuration names', [], async () => {
    const { given } = await resolveWanted<WantedRoot>({ from }, scene, { now: clock.now(), leafTtl });
    const value = await scene.given(from);
    const until = given?.notAfter.toISOString() ?? '';
    return { value, detail: `${parseCertificate(value.root).subject}, until ${until}; its chain is whole` };
  });
  const signer = found?.value.signer;
  if (found && signer?.kind === 'key' && signer.signsLeaves) await byItsKey(found, signer, scene);
  else await byIssuingKey(found, signer, scene);
}

/** Of an authority that signs leaves itself. */
async function byItsKey(found: Done<Found>, given: KeySigner, scene: RehearsedScene): Promise<void> {
  const { steps } = scene;
  const home = await reach(given, scene);
  const key = await borrow(home, given, scene);
  const leaves = key && {
    detail: '',
    value: {
      root: found.value.root,
      above: [given.certificate, ...given.intermediates] as const,
      signer: key.value,
    },
  };
  await signAndHandOut(leaves, scene);
  await steps.do('destroy what was put there', [home], ([keys]) => destroyed(keys, scene.ids.root));
}

/** Of one that signs issuing authorities, here or elsewhere. */
async function byIssuingKey(
  found: Done<Found> | undefined,
  given: GivenSigner | undefined,
  scene: RehearsedScene,
): Promise<void> {
  const { steps, ids, issuingKeys, algorithms } = scene;
  const here = given?.kind === 'key' ? given : undefined;
  const home = here && (await reach(here, scene));
  const own = here && (await borrow(home, here, scene));
  const issuingKey = await steps.do('make an issuing key', [found], async ([{ root }]) => {
    await scene.clearHome(issuingKeys);
    const below = issuingAlgorithm(algorithms.issuing, parseCertificate(root).publicKey.algorithm);
    return { value: await issuingKeys.generate(ids.issuing, below), detail: `${below}, ${ids.issuing}` };
  });
  const signs = here ? own && upstreamOf(here, own.value, found, scene) : signerOf(given);
  const leaves = await steps.do(
    here ? 'sign an issuing certificate' : 'have that PKI sign an issuing certificate',
    [found, signs, issuingKey],
    async ([{ root }, upstream, key]) => {
      const value = await signedBy(upstream, key, root, scene);
      const { notAfter } = parseCertificate(value.above[0]);
      const kept = here ? '' : `; that PKI may keep a record of it, which ends at ${notAfter.toISOString()}`;
      return { value, detail: `verified${kept}` };
    },
  );
  await signAndHandOut(leaves, scene);
  if (here) await steps.do('destroy what was put there', [home], ([keys]) => destroyed(keys, ids.root));
  await steps.do('destroy the issuing key', [], () => destroyed(issuingKeys, ids.issuing));
}

function reach(given: KeySigner, { steps, clearHome }: RehearsedScene) {
  return steps.do('reach the key home, and list its keys', [], async () => {
    const keys = await given.home();
    await keys.check();
    await clearHome(keys);
    return {
      value: keys,
      detail: `the ${keys.backend} key home answers; what an earlier rehearsal left is gone`,
    };
  });
}

function borrow(home: Done<unknown> | undefined, given: KeySigner, { steps, ids }: RehearsedScene) {
  return steps.do('put its key there', [home], async () => {
    const key = await given.borrowKey(ids.root);
    const where = key.id === ids.root ? `as ${key.id}` : `it is there already, as ${key.id}`;
    return { value: key, detail: `${where}; it is the key of the certificate` };
  });
}

function signerOf(given: GivenSigner | undefined): Done<UpstreamAuthority> | undefined {
  return given?.kind === 'upstream' ? { value: given.upstream, detail: '' } : undefined;
}

/** As the authority would sign once its root is active: the same code. */
function upstreamOf(
  { certificate, intermediates }: KeySigner,
  signer: CertificateSigner,
  found: Done<Found> | undefined,
  { trustDomain, clock }: RehearsedScene,
): Done<UpstreamAuthority> | undefined {
  if (!found) return undefined;
  const { root } = found.value;
  const isRoot = parseCertificate(certificate).fingerprint === parseCertificate(root).fingerprint;
  const authority = authorityRecord({
    kind: isRoot ? 'root' : 'intermediate',
    state: 'prepared',
    keyBackend: 'rehearsal',
    keyId: '',
    certificate,
    intermediates,
    createdAt: clock.now(),
  });
  return { value: createRootUpstream({ trustDomain, authority, root, signer, clock }), detail: '' };
}

async function signedBy(
  upstream: UpstreamAuthority,
  key: CertificateSigner,
  root: Uint8Array,
  { validity }: RehearsedScene,
): Promise<LeafSigner> {
  const commonName = 'Citadel rehearsal issuing authority';
  const chain = await upstream.signIssuingAuthority({
    certificateRequest: await createCertificateRequest({ signer: key, subject: commonName }),
    publicKey: key.publicKey,
    commonName,
    ...validity,
  });
  if (!Buffer.from(chain.root).equals(root))
    throw new CitadelError('FailedPrecondition', 'it signed under another root than the one that it names');
  return { root, above: [chain.certificate, ...chain.intermediates], signer: key };
}

/** What issues leaves has to sign its CRLs, too. */
async function signAndHandOut(leaves: Done<LeafSigner> | undefined, scene: RehearsedScene): Promise<void> {
  const { steps, validity } = scene;
  await steps.do('sign a CRL', [leaves], async ([{ above, signer }]) => {
    const { notBefore: thisUpdate, notAfter: nextUpdate } = validity;
    const [issuerCertificate] = above;
    const list = { issuerCertificate, signer, number: 1, thisUpdate, nextUpdate, entries: [] };
    return { value: await createCrl(list), detail: 'verified, and given to nobody' };
  });
  await steps.do('hand the bundle to an SDS client and read it back', [leaves], async ([by]) => ({
    value: undefined,
    detail: await handOutBundle(by, scene),
  }));
}
