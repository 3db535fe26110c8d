import { exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { type Clock, Secret } from '../../kernel/index.ts';
import { algorithm, issuer, tokenType } from './token.ts';

export interface DevelopmentWorkload {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Names one workload instance, as a pod's UID does. */
  readonly instance: string;
}

export interface DevelopmentTokenIssuer {
  /** @param lifetime milliseconds */
  issue(workload: DevelopmentWorkload, audience: string, lifetime: number): Promise<Secret<string>>;
}

/** Makes the issuer's key pair: PEM, PKCS#8 and SPKI. */
export async function generateDevelopmentIssuerKeys(): Promise<{
  privateKey: Secret<string>;
  publicKey: string;
}> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  return {
    privateKey: new Secret(await exportPKCS8(pair.privateKey)),
    publicKey: await exportSPKI(pair.publicKey),
  };
}

/** Stands in for Kubernetes' token issuer on a developer's machine. A production server refuses its tokens. */
export async function createDevelopmentTokenIssuer(
  privateKey: Secret<string>,
  clock: Clock,
): Promise<DevelopmentTokenIssuer> {
  const key = await importPKCS8(privateKey.reveal(), algorithm);
  return {
    async issue({ namespace, serviceAccount, instance }, audience, lifetime) {
      const now = Math.floor(clock.now().getTime() / 1000);
      const token = await new SignJWT({ namespace, serviceAccount, instance })
        .setProtectedHeader({ alg: algorithm, typ: tokenType })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + Math.floor(lifetime / 1000))
        .sign(key);
      return new Secret(token);
    },
  };
}
