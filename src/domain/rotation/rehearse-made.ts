import { issuingAlgorithm } from '../authority/index.ts';
import { destroyed, handOutBundle, type RehearsedScene } from './rehearsed-scene.ts';
import { throwawayIssuing, throwawayRoot } from './throwaway.ts';

/** The key operations of a rotation to a root that is made here, with throwaway keys in the same homes. */
export async function rehearseMade(scene: RehearsedScene): Promise<void> {
  const { steps, ids, algorithm, validity, newKeys, issuingKeys, algorithms, clearHome } = scene;
  const home = await steps.do('reach the key home', [], async () => {
    const keys = await newKeys();
    await keys.check();
    return { value: keys, detail: `the ${keys.backend} key home answers` };
  });
  await steps.do('list its keys', [home], async ([keys]) => {
    await clearHome(keys);
    return { value: keys, detail: 'keys that an earlier rehearsal left are gone' };
  });
  const rootKey = await steps.do('make a root key', [home], async ([keys]) => {
    const value = await keys.generate(ids.root, algorithm);
    return { value, detail: `${algorithm}, ${ids.root}` };
  });
  const root = await steps.do('sign a root certificate', [rootKey], async ([signer]) => {
    const value = await throwawayRoot(signer, validity, scene);
    return { value, detail: 'verified' };
  });
  const issuingKey = await steps.do('make an issuing key', [], async () => {
    await clearHome(issuingKeys);
    const below = issuingAlgorithm(algorithms.issuing, algorithm);
    const value = await issuingKeys.generate(ids.issuing, below);
    return { value, detail: `${below}, ${ids.issuing}` };
  });
  const issuing = await steps.do(
    'sign an issuing certificate',
    [root, rootKey, issuingKey],
    async ([certificate, signer, key]) => {
      const value = await throwawayIssuing({ certificate, signer, keyId: ids.root }, key, validity, scene);
      return { value, detail: 'verified' };
    },
  );
  await steps.do(
    'hand the bundle to an SDS client and read it back',
    [root, issuing, issuingKey],
    async ([certificate, issuer, signer]) => {
      const detail = await handOutBundle({ root: certificate, above: [issuer], signer }, scene);
      return { value: undefined, detail };
    },
  );
  // Also where making it is said to have failed: a home may have made a key that it then would not show.
  await steps.do('destroy the root key', [home], async ([keys]) => destroyed(keys, ids.root));
  await steps.do('destroy the issuing key', [], async () => destroyed(issuingKeys, ids.issuing));
}
