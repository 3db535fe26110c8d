import { join, relative, sep } from 'node:path';
import { formatDuration } from '../../kernel/index.ts';
import type { YamlPath } from '../../yaml/index.ts';
import type { ParsedServerConfig } from './server-schema.ts';

/** The configuration with nothing left to decide: every default, path and secret is in place. Times in milliseconds. */
export type ServerConfig = ReturnType<typeof completeServerConfig>;

/** A rule between fields that the configuration breaks. */
export interface RuleProblem {
  readonly path: YamlPath;
  readonly message: string;
  readonly mend: string;
}

/** Fills in what depends on other fields. */
export function completeServerConfig(parsed: ParsedServerConfig) {
  const { dataDirectory, listen, store, keys, formerKeys, issuingKeys } = parsed;
  const placed = <D extends { readonly directory?: string | undefined }>(disk: D, below: string) => ({
    ...disk,
    directory: disk.directory ?? join(dataDirectory, below),
  });
  const rootKeys = (home: typeof keys) =>
    home.kind === 'disk' ? { kind: home.kind, value: placed(home.value, 'keys') } : home;
  const localKeys = issuingKeys ?? (keys.kind === 'disk' ? keys : undefined);
  return {
    ...parsed,
    listen: { ...listen, operatorSocket: listen.operatorSocket ?? join(dataDirectory, 'operator.sock') },
    store: { kind: store.kind, value: { file: store.value.file ?? join(dataDirectory, 'citadel.db') } },
    keys: rootKeys(keys),
    formerKeys: formerKeys && rootKeys(formerKeys),
    issuingKeys:
      localKeys?.kind === 'disk'
        ? { kind: localKeys.kind, value: placed(localKeys.value, 'issuing-keys') }
        : (localKeys ?? { kind: 'memory' as const, value: {} }),
  };
}

/** Pure: what the fields say together. */
export function checkServerConfig(parsed: ParsedServerConfig): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  const broken = (path: YamlPath, message: string, mend: string) => problems.push({ path, message, mend });
  const {
    mode,
    keys,
    formerKeys,
    issuingKeys,
    attestation,
    certificate,
    authority,
    experimental,
    operators,
  } = parsed;
  if (mode === 'production') {
    if (attestation.development)
      broken(
        ['attestation', 'development'],
        'is refused in production',
        'remove it, or set mode: development',
      );
    if (keys.kind === 'memory')
      broken(
        ['keys', 'memory'],
        'is refused in production: the root key would be lost at exit',
        'use keys.disk, keys.vault or keys.pkcs11',
      );
    if (issuingKeys?.kind === 'memory')
      broken(['issuingKeys', 'memory'], 'is refused in production', 'use issuingKeys.disk');
    for (const [index, provider] of operators.oidc.entries()) {
      if (provider.issuer.startsWith('http:'))
        broken(['operators', 'oidc', index, 'issuer'], 'is not https', 'use the issuer’s https address');
    }
    if (parsed.mesh?.jwks.allowHttp)
      broken(
        ['mesh', 'jwks', 'allowHttp'],
        'is refused in production: whoever is on the way could give any keys',
        'remove it, or set mode: development',
      );
    for (const [field, home] of Object.entries({ keys, formerKeys }))
      if (home?.kind === 'vault' && home.value.address.startsWith('http:'))
        broken([field, 'vault', 'address'], 'is not https', 'use https, or mode: development');
  }
  problems.push(...checkpointProblems(parsed));
  problems.push(...consoleProblems(parsed));
  if (formerKeys?.kind === keys.kind)
    broken(
      ['formerKeys'],
      'is the same kind of home as keys',
      'remove it: keys of one home are told apart by their ids',
    );
  if ((keys.kind === 'vault' || keys.kind === 'pkcs11') && issuingKeys === undefined)
    broken(
      ['issuingKeys'],
      `is needed when the root key is in ${keys.kind === 'vault' ? 'Vault' : 'a PKCS#11 token'}`,
      'add issuingKeys.disk with its encryption',
    );
  if (certificate.defaultTtl > certificate.maximumTtl)
    broken(
      ['certificate', 'defaultTtl'],
      `${formatDuration(certificate.defaultTtl)} is longer than maximumTtl ${formatDuration(certificate.maximumTtl)}`,
      'lower it, or raise certificate.maximumTtl',
    );
  const { issuing, origin } = authority;
  if (origin.kind === 'upstream' && parsed.rotation.root.at !== undefined)
    broken(
      ['rotation', 'root', 'at'],
      'says when to rotate a root that belongs to the upstream authority',
      'remove it: that root is rotated there',
    );
  if (issuing.prepareAt >= issuing.activateAt)
    broken(
      ['authority', 'issuing', 'prepareAt'],
      'is not before activateAt',
      'lower it, or raise activateAt',
    );
  // The one that signs lives at least (1 - activateAt) of its lifetime longer; leaves must fit into that.
  const shortest = issuing.lifetime * (1 - issuing.activateAt);
  if (certificate.maximumTtl > shortest)
    broken(
      ['certificate', 'maximumTtl'],
      `${formatDuration(certificate.maximumTtl)} is longer than an issuing authority still lives when the next one takes over (${formatDuration(shortest)})`,
      'lower it, or raise authority.issuing.lifetime',
    );
  if (origin.kind === 'root' && origin.value.algorithm === 'ml-dsa-65' && !experimental.mlDsaAuthorities)
    broken(
      ['authority', 'root', 'algorithm'],
      'is an experiment that is not switched on',
      'choose another one, or set experimental.mlDsaAuthorities: true once you know that every client verifies ML-DSA',
    );
  if (origin.kind === 'root' && issuing.lifetime >= origin.value.lifetime)
    broken(
      ['authority', 'issuing', 'lifetime'],
      'is not shorter than authority.root.lifetime',
      'lower it, or raise authority.root.lifetime',
    );
  const clusters = attestation.kubernetes?.clusters ?? [];
  clusters.forEach((cluster, index) => {
    if (clusters.findIndex((other) => other.id === cluster.id) !== index)
      broken(
        ['attestation', 'kubernetes', 'clusters', index, 'id'],
        `${cluster.id} is given twice`,
        'give each cluster its own id',
      );
  });
  if (clusters.length > 0 && !clusters.some((cluster) => cluster.id === parsed.clusterId))
    broken(
      ['clusterId'],
      `${parsed.clusterId} is none of attestation.kubernetes.clusters`,
      'set it to the id of the cluster meant by callers that name none',
    );
  if (parsed.mesh?.sources.kubernetes && clusters.length === 0)
    broken(['mesh', 'sources', 'kubernetes'], 'has no cluster', 'add attestation.kubernetes.clusters');
  const webhook = parsed.mesh?.sources.kubernetes?.webhook;
  if (webhook && webhook.clientNames.length > 0 && webhook.clientAuthorities === undefined)
    broken(
      ['mesh', 'sources', 'kubernetes', 'webhook', 'clientNames'],
      'say nothing without clientAuthorities',
      'add clientAuthorities, or leave the names out',
    );
  const taken = clusters.findIndex(({ id }) => id === 'files');
  if (parsed.mesh?.sources.kubernetes && parsed.mesh.sources.files && taken >= 0)
    broken(
      ['attestation', 'kubernetes', 'clusters', taken, 'id'],
      'files is the name of the registry in files',
      'give the cluster another id',
    );
  return problems;
}

function checkpointProblems(parsed: ParsedServerConfig): readonly RuleProblem[] {
  const { file, vault } = parsed.audit.checkpoints;
  const problems: RuleProblem[] = [];
  const at = (...path: YamlPath) => ['audit', 'checkpoints', ...path];
  const home = parsed.issuingKeys ?? parsed.keys;
  if ((file || vault) && home.kind === 'memory')
    problems.push({
      path: at(file ? 'file' : 'vault'),
      message: 'is signed by a key that is lost at exit: the next start could not tell its own checkpoints',
      mend: 'add issuingKeys.disk, or keep checkpoints on stdout alone',
    });
  if (file && isWithin(file.path, parsed.dataDirectory))
    problems.push({
      path: at('file', 'path'),
      message: 'is within dataDirectory: who can write the store could write it too',
      mend: 'name a path on another disk, or at least in another directory',
    });
  if (parsed.mode === 'production' && vault?.address.startsWith('http:'))
    problems.push({
      path: at('vault', 'address'),
      message: 'is not https',
      mend: 'use https, or mode: development',
    });
  return problems;
}

function consoleProblems({
  console,
  operators,
  servingNames,
  listen,
}: ParsedServerConfig): readonly RuleProblem[] {
  if (!console) return [];
  const problems: RuleProblem[] = [];
  const { hostname } = new URL(console.origin ?? 'https://localhost');
  if (!servingNames.some((name) => name.toLowerCase() === hostname))
    problems.push({
      path: ['console', ...(console.origin === undefined ? [] : ['origin'])],
      message: `has the name ${hostname}, which is none of servingNames: browsers would refuse the certificate`,
      mend: 'add it to servingNames',
    });
  if (console.origin === undefined && !isLoopback(listen.console.host))
    problems.push({
      path: ['listen', 'console'],
      message: 'is reached from other machines, and console.origin does not say by which name',
      mend: 'add console.origin',
    });
  if (console.oidc && !operators.oidc.some(({ issuer }) => issuer === console.oidc?.issuer))
    problems.push({
      path: ['console', 'oidc', 'issuer'],
      message: 'is none of operators.oidc, so nobody could have a role',
      mend: 'add it there, with its keys and roles',
    });
  if (!console.oidc && !console.clientCertificates)
    problems.push({
      path: ['console'],
      message: 'leaves no way to sign in',
      mend: 'add oidc, or allow clientCertificates',
    });
  return problems;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function isWithin(path: string, directory: string): boolean {
  const [first] = relative(directory, path).split(sep);
  return first !== '..';
}
