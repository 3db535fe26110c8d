import type { KeyAlgorithm } from '../../pki/index.ts';
import type { Consumer, TlsProgram } from '../ports/index.ts';
import type { LiveProxy } from './standing.ts';

/** Who would refuse certificates under a root of an algorithm, or cannot tell. */
export interface Unable {
  /** A proxy's SPIFFE ID, or what else it is. */
  readonly name: string;
  /** Empty where it is no proxy. */
  readonly proxyKey: string;
  /** For the operator. */
  readonly why: string;
}

/**
 * Who cannot verify what is under a root of this algorithm, or cannot tell. Pure.
 * @param outside who verifies certificates without having one, and cannot say with what
 */
export function unableToVerify(
  algorithm: KeyAlgorithm,
  proxies: readonly LiveProxy[],
  outside: readonly Unable[] = [],
): readonly Unable[] {
  const unable = proxies.flatMap((proxy) => {
    const why = whyUnable(algorithm, proxy);
    return why === undefined ? [] : [{ name: proxy.spiffeId, proxyKey: proxy.proxyKey, why }];
  });
  return algorithm === 'ml-dsa-65' ? [...unable, ...outside] : unable;
}

/** Why a proxy cannot verify what is under a root of this algorithm; undefined: it can. */
export function whyUnable(algorithm: KeyAlgorithm, { report }: LiveProxy): string | undefined {
  // Everybody verifies the others: Envoy by its defaults too, as a test shows.
  if (algorithm !== 'ml-dsa-65') return undefined;
  if (!report) return 'it cannot report what it verifies with';
  const { agentProgram, agentVersion, consumers } = report;
  if (!agentProgram) return `its agent, of version ${agentVersion}, does not say what it verifies with`;
  if (!verifiesMlDsa(agentProgram)) return `its agent runs on ${describe(agentProgram)}`;
  return consumers.map(whyConsumerUnable).find((why) => why !== undefined);
}

function whyConsumerUnable({ kind, program }: Consumer): string | undefined {
  if (program) return verifiesMlDsa(program) ? undefined : `it is ${describe(program)}`;
  switch (kind) {
    case 'envoy-sds':
      return 'the version of its Envoy is not seen';
    case 'workload-api':
      return 'a client of the Workload API does not say what it verifies with';
    case 'file':
      return 'whoever reads its files does not say what it verifies with';
  }
}

/** From which version on a program verifies ML-DSA-65 by its defaults, by name and library. */
const verifiers: readonly { readonly name: string; readonly fits: (program: TlsProgram) => boolean }[] = [
  // The least that was measured. A FIPS build is of another BoringSSL.
  { name: 'envoy', fits: ({ version, library }) => library === 'BoringSSL' && isAtLeast(version, 1, 40) },
  {
    name: 'node',
    fits: ({ library }) =>
      library.startsWith('OpenSSL ') && isAtLeast(library.slice('OpenSSL '.length), 3, 5),
  },
];

function verifiesMlDsa(program: TlsProgram): boolean {
  return verifiers.some(({ name, fits }) => name === program.name && fits(program));
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [, first, second] = /^(\d{1,4})\.(\d{1,4})(?:\.|-|$)/.exec(version) ?? [];
  if (first === undefined || second === undefined) return false;
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}

function describe({ name, version, library }: TlsProgram): string {
  return `${name} ${version} with ${library}, which verifies no ML-DSA-65`;
}
