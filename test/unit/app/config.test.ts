import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Environment,
  formatProblem,
  loadServerConfig,
  maximumConfigBytes,
  readServerConfig,
  serverConfigFromObject,
  variableFor,
} from '../../../src/app/config/index.ts';

const development = {
  mode: 'development',
  trustDomain: 'example.org',
  keys: { memory: {} },
  attestation: { development: { key: { issuerKeyFile: 'issuer.pem' } } },
};

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'citadel-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function judge(text: string, env: Environment = {}) {
  const file = join(directory, 'server.yaml');
  writeFileSync(file, text);
  const { config, problems, warnings } = readServerConfig({ file, env });
  const lines = (list: typeof problems) => list.map((one) => formatProblem(one).replaceAll(file, 'F'));
  return { config, problems: lines(problems), warnings: lines(warnings) };
}

const valid = `mode: development
trustDomain: example.org
keys:
  memory: {}
attestation:
  development:
    key:
      issuerKeyFile: issuer.pem
`;

describe('server configuration', () => {
  it('makes authorities of ML-DSA where the experiment is switched on, and there alone', () => {
    const text = `${valid}authority: { root: { algorithm: ml-dsa-65 } }\n`;
    expect(judge(text).problems.join()).toContain('is an experiment that is not switched on');
    const { config, problems } = judge(`${text}experimental: { mlDsaAuthorities: true }\n`);
    expect(problems).toStrictEqual([]);
    expect(config?.authority.origin).toMatchObject({ value: { algorithm: 'ml-dsa-65' } });
    // An issuing authority follows its root; by itself it would come to clients that nobody has asked.
    const issuing = `${valid}experimental: { mlDsaAuthorities: true }\nauthority: { issuing: { algorithm: ml-dsa-65 } }\n`;
    expect(judge(issuing).problems).toHaveLength(1);
  });

  it.each([
    ['nothing more', 'console: {}', ''],
    ['a name of its own', 'servingNames: [c.example]\nconsole: { origin: "https://c.example:8444" }', ''],
    [
      'a name that its certificate lacks',
      'console: { origin: "https://c.example" }',
      'is none of servingNames',
    ],
    ['a path', 'console: { origin: "https://localhost/console" }', 'without a path'],
    [
      'a port that browsers leave out',
      'console: { origin: "https://localhost:443" }',
      'as browsers write it',
    ],
    ['no TLS', 'console: { origin: "http://localhost" }', 'as browsers write it'],
    ['other machines, and no name', 'listen: { console: "0.0.0.0:8444" }\nconsole: {}', 'add console.origin'],
    ['no way in', 'console: { clientCertificates: false }', 'leaves no way to sign in'],
    [
      'a strange provider',
      'console: { oidc: { issuer: "https://id", clientId: c } }',
      'none of operators.oidc',
    ],
    [
      'no openid',
      'console: { oidc: { issuer: "https://id", clientId: c, scopes: [email] } }',
      'openid must be among',
    ],
  ])('takes a console with %s, or says what is wrong', (_, text, problem) => {
    const { problems } = judge(`${valid}${text}\n`);
    if (problem === '') expect(problems).toEqual([]);
    else expect(problems.join()).toContain(problem);
  });

  it('fills in every default', () => {
    const config = serverConfigFromObject(development);
    expect(config.listen.csr).toEqual({ host: '0.0.0.0', port: 15012 });
    expect(config.listen.metrics).toEqual({ host: '127.0.0.1', port: 15014 });
    expect(config.listen.webhook).toEqual({ host: '0.0.0.0', port: 15017 });
    expect(config.listen.operatorSocket).toBe('/var/lib/citadel/operator.sock');
    expect(config.certificate).toEqual({
      defaultTtl: 86_400_000,
      maximumTtl: 86_400_000,
      notBeforeSkew: 1_200_000,
    });
    expect(config.servingNames).toContain('istiod.istio-system.svc');
    expect(config.store).toEqual({ kind: 'sqlite', value: { file: '/var/lib/citadel/citadel.db' } });
    expect(config.authority.origin).toMatchObject({ kind: 'root', value: { algorithm: 'ecdsa-p256' } });
  });

  it('has proxies speak TLS 1.3 with a post-quantum group, and leave no endpoint out', () => {
    const of = (more: object = {}) =>
      serverConfigFromObject({ ...development, mesh: { sources: { files: { directory: 'r' } }, ...more } })
        .mesh;
    expect(of()?.tls).toEqual({ postQuantum: true, minimumVersion: '1.3' });
    expect(of()?.outlierDetection).toBeUndefined();
    expect(of({ outlierDetection: { interval: '2s' } })?.outlierDetection).toEqual({
      consecutive5xx: 5,
      interval: 2_000,
      baseEjectionTime: 30_000,
      maxEjectionPercent: 10,
    });
  });

  it('takes paths relative to the file', () => {
    const { config } = judge(`${valid}dataDirectory: data\n`);
    expect(config?.dataDirectory).toBe(join(directory, 'data'));
    expect(config?.store.value.file).toBe(join(directory, 'data/citadel.db'));
  });

  const cases: readonly (readonly [string, string, string])[] = [
    [
      'an unknown key',
      `${valid}trustDomian: x\n`,
      'F:9:1: trustDomian: unknown key; did you mean trustDomain?',
    ],
    [
      'an unknown nested key',
      `${valid}listen:\n  cssr: 0.0.0.0:1\n`,
      'F:10:3: listen.cssr: unknown key; did you mean csr?',
    ],
    ['a bad address', `${valid}listen:\n  csr: nowhere\n`, 'F:10:8: listen.csr: not an address: "nowhere"'],
    ['a port out of range', `${valid}listen:\n  csr: 0.0.0.0:65536\n`, 'F:10:8: listen.csr: not an address'],
    [
      'a bad duration',
      `${valid}certificate: {defaultTtl: 1 day}\n`,
      'F:9:27: certificate.defaultTtl: not a duration: "1 day"',
    ],
    [
      'a duration out of range',
      `${valid}certificate: {notBeforeSkew: 48h}\n`,
      'F:9:30: certificate.notBeforeSkew: must be between 0s and 24h',
    ],
    [
      'a default above the maximum',
      `${valid}certificate:\n  defaultTtl: 25h\n`,
      'F:10:15: certificate.defaultTtl: 1d1h is longer than maximumTtl 1d; lower it',
    ],
    [
      'leaves that outlive their issuer',
      `${valid}authority:\n  issuing:\n    lifetime: 48h\n`,
      'certificate.maximumTtl: 1d is longer than an issuing authority still lives',
    ],
    [
      'a list item',
      `${valid}servingNames:\n  - good.example\n  - "not a name"\n`,
      'F:11:5: servingNames[1]: must be a DNS name or an IP address',
    ],
    ['an upper-case trust domain', valid.replace('example.org', 'Example.org'), 'F:2:14: trustDomain:'],
    [
      'a SPIFFE ID as trust domain',
      valid.replace('example.org', 'spiffe://example.org'),
      'F:2:14: trustDomain: must be a bare name',
    ],
    ['a missing key', valid.replace('trustDomain: example.org\n', ''), 'F:1:1: trustDomain: is required'],
    [
      'two homes of keys',
      valid.replace('  memory: {}', '  memory: {}\n  disk: {encryption: {keyFile: k}}'),
      'F:4:3: keys: exactly one of disk, memory, vault, pkcs11 must be given; not disk and memory',
    ],
    [
      'a token without a home for issuing keys',
      valid.replace('  memory: {}', '  pkcs11: {module: m.so, token: {label: t}, pin: {file: server.yaml}}'),
      'issuingKeys: is needed when the root key is in a PKCS#11 token; add issuingKeys.disk',
    ],
    [
      'a token by label and by serial',
      valid.replace(
        '  memory: {}',
        '  pkcs11: {module: m.so, token: {label: t, serial: s}, pin: {env: PIN}}',
      ),
      'keys.pkcs11.token: exactly one of label, serial must be given',
    ],
    [
      'a PIN in the file itself',
      valid.replace('  memory: {}', '  pkcs11: {module: m.so, token: {label: t}, pin: "12345678"}'),
      'keys.pkcs11.pin',
    ],
    [
      'no way to prove anything',
      valid.replace(/attestation:[^]*/, 'attestation: {}\n'),
      'F:5:14: attestation: nobody could prove anything',
    ],
    [
      'the development issuer in production',
      valid.replace('mode: development', 'mode: production'),
      'F:7:5: attestation.development: is refused in production; remove it, or set mode: development',
    ],
    [
      'memory keys in production',
      valid.replace('mode: development\n', ''),
      'F:3:11: keys.memory: is refused in production',
    ],
    [
      'keys of tokens without TLS in production',
      `${valid.replace('mode: development\n', '')}mesh: {sources: {files: {directory: r}}, jwks: {allowHttp: true}}\n`,
      'mesh.jwks.allowHttp: is refused in production',
    ],
    [
      'TLS that is too old',
      `${valid}mesh: {sources: {files: {directory: r}}, tls: {minimumVersion: "1.1"}}\n`,
      'mesh.tls.minimumVersion: must be one of 1.3, 1.2',
    ],
    [
      'a host with a scheme',
      `${valid}mesh: {sources: {files: {directory: r}}, jwks: {allow: ["https://id.example"]}}\n`,
      'mesh.jwks.allow[0]: must be HOST, HOST:PORT or *.DOMAIN',
    ],
    [
      'a secret in plain text',
      valid.replace('memory: {}', 'disk: {encryption: {passphrase: hunter2}}'),
      'F:4:35: keys.disk.encryption.passphrase: Invalid input: expected object, received string; it takes the keys file, env',
    ],
    [
      'a secret that is not there',
      valid.replace('memory: {}', 'disk: {encryption: {passphrase: {env: ABSENT}}}'),
      'F:4:35: keys.disk.encryption.passphrase: the environment variable ABSENT is not set',
    ],
    ['a key twice', `${valid}mode: production\n`, 'F:9:1: not valid YAML: Map keys must be unique'],
    ['broken YAML', 'mode: [development\n', 'not valid YAML:'],
    ['no object at all', '- 1\n', 'F:1:1: Invalid input: expected object'],
    [
      'names of API servers without an authority that certifies them',
      `${valid}mesh:\n  sources:\n    kubernetes:\n      webhook:\n        clientNames: [kube-apiserver]\n`,
      'mesh.sources.kubernetes.webhook.clientNames: say nothing without clientAuthorities',
    ],
    [
      'root and upstream',
      `${valid}authority:\n  root: {}\n  existing: {istioCacerts: certs}\n`,
      'F:10:3: authority: at most one of root, existing, upstream',
    ],
  ];
  it.each(cases)('points at %s', (_, text, expected) => {
    const { config, problems } = judge(text);
    expect(config).toBeUndefined();
    expect(problems.join('\n')).toContain(expected);
  });

  it('names every mistake in the order of the file', () => {
    const { problems } = judge(`${valid}listen:\n  csr: x\n  metrics: y\nlog: {level: loud}\n`);
    expect(problems.map((line) => line.split(': ')[0])).toEqual(['F:10:8', 'F:11:12', 'F:12:14']);
  });

  it('refuses a key that is inherited by every object', () => {
    expect(judge(`${valid}__proto__: {mode: production}\n`).problems.join()).toContain('unknown key');
    expect(judge(`${valid}constructor: 1\n`).problems.join()).toContain('unknown key');
  });

  it('does not expand aliases without end', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [index, name] of 'bcdefgh'.split('').entries())
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`);
    expect(judge(bomb.join('\n')).problems.join()).toContain('not valid YAML');
  });

  it('refuses a file above the limit, and one that is none', () => {
    const file = join(directory, 'large.yaml');
    writeFileSync(file, '#'.repeat(maximumConfigBytes + 1));
    expect(() => loadServerConfig({ file, env: {} })).toThrow(/larger than/);
    expect(() => loadServerConfig({ file: directory, env: {} })).toThrow(/not a regular file/);
    expect(() => loadServerConfig({ file: join(directory, 'none'), env: {} })).toThrow(
      /the configuration file \S+none does not exist/,
    );
  });
});

describe('secrets', () => {
  it('come from the environment or a file, and do not print', () => {
    const file = join(directory, 'passphrase');
    writeFileSync(file, 'correct horse\n');
    for (const reference of [{ env: 'PASSPHRASE' }, { file }]) {
      const keys = { disk: { encryption: { passphrase: reference } } };
      const config = serverConfigFromObject({ ...development, keys }, { PASSPHRASE: 'correct horse' });
      expect(JSON.stringify(config)).not.toContain('horse');
      if (config.keys.kind !== 'disk' || config.keys.value.encryption.kind !== 'passphrase')
        throw new Error('kind');
      expect(config.keys.value.encryption.value.reveal()).toBe('correct horse');
    }
  });
});

describe('environment overrides', () => {
  it('take the place of what the file says', () => {
    const env = {
      CITADEL_LISTEN__CSR: '127.0.0.1:1',
      CITADEL_CERTIFICATE__DEFAULT_TTL: '1h',
      CITADEL_SERVING_NAMES: 'a.example, b.example',
      CITADEL_LIMITS__MESSAGE_BYTES: '2048',
      CITADEL_ATTESTATION__SVID_RENEWAL: 'true',
    };
    const { config, warnings } = judge(valid, env);
    expect(warnings).toEqual([]);
    expect(config?.listen.csr).toEqual({ host: '127.0.0.1', port: 1 });
    expect(config?.certificate.defaultTtl).toBe(3_600_000);
    expect(config?.servingNames).toEqual(['a.example', 'b.example']);
    expect(config?.limits.messageBytes).toBe(2048);
    expect(config?.attestation.svidRenewal).toBe(true);
  });

  it.each([
    ['CITADEL_LIMITS__MESSAGE_BYTES', '2e3', 'must be a whole number'],
    ['CITADEL_LIMITS__MESSAGE_BYTES', '', 'must be a whole number'],
    ['CITADEL_ATTESTATION__SVID_RENEWAL', 'yes', 'must be true or false'],
    ['CITADEL_LISTEN__CSR', 'x', 'listen.csr: not an address'],
  ])('are parsed strictly: %s=%s', (variable, value, message) => {
    const { config, problems } = judge(valid, { [variable]: value });
    expect(config).toBeUndefined();
    expect(problems.join()).toMatch(new RegExp(`^${variable}: .*${message}`));
  });

  it('warn of a name that overrides nothing', () => {
    const { config, warnings } = judge(valid, { CITADEL_TRUST_DOMIAN: 'x', CITADEL_CONFIG: 'y', OTHER: 'z' });
    expect(config).toBeDefined();
    expect(warnings).toEqual([
      'CITADEL_TRUST_DOMIAN: overrides nothing in the configuration and is ignored; did you mean CITADEL_TRUST_DOMAIN?',
    ]);
  });

  it('are named after their path', () => {
    expect(variableFor(['certificate', 'defaultTtl'])).toBe('CITADEL_CERTIFICATE__DEFAULT_TTL');
  });
});
