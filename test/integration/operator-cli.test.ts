import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConfigFromObject } from '../../src/app/config/index.ts';
import { type App, createApp } from '../../src/app/index.ts';
import { memoryStore } from '../fakes/memory-store.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';

let directory: TemporaryDirectory;
let app: App;
const store = memoryStore();

beforeAll(async () => {
  directory = await temporaryDirectory();
  const anyPort = '127.0.0.1:0';
  const config = serverConfigFromObject({
    mode: 'development',
    trustDomain: 'operators.test',
    dataDirectory: directory.path,
    listen: { csr: anyPort, operator: anyPort, metrics: anyPort },
    keys: { memory: {} },
    attestation: { development: { key: { issuerKeyFile: join(directory.path, 'issuer.pem') } } },
  });
  app = await createApp(config, { store });
});
afterAll(async () => {
  await app.stop();
  await directory[Symbol.asyncDispose]();
});

/** With a home of its own. */
const citadel = (home: string, ...args: readonly string[]) =>
  runCitadel(args, { directory: directory.path, home });

const socket = () => ['--socket', join(directory.path, 'operator.sock')];
const server = () => ['--server', `localhost:${app.operator.port}`];

async function audit(action: string) {
  return (await store.audit.find({ action, limit: 100 })).items;
}

describe('the local socket', () => {
  it('is the kernel’s word for an operator', async () => {
    const { code, stdout } = await citadel('nobody', 'operator', 'whoami', ...socket(), '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      subject: `local:${process.getuid?.()}`,
      role: 'operator',
      proof: 'local-socket',
    });
  });

  it('is open to its owner alone', () => {
    expect(statSync(join(directory.path, 'operator.sock')).mode & 0o777).toBe(0o600);
  });
});

describe('enrolment and roles over TLS', () => {
  const credential = () => join(directory.path, 'credential');
  const roots = () => join(directory.path, 'roots.pem');
  const enrolFirst = (home: string, name: string) =>
    citadel(
      home,
      'operator',
      'enrol',
      ...server(),
      '--ca',
      roots(),
      '--credential-file',
      credential(),
      '--name',
      name,
      '--yes',
    );

  beforeAll(() => {
    writeFileSync(credential(), `${app.firstCredential?.reveal()}\n`, { mode: 0o600 });
    writeFileSync(roots(), app.authority.bundle().pem);
  });

  it('asks before it does anything', async () => {
    const { code, stderr } = await citadel(
      'ada',
      'operator',
      'enrol',
      ...server(),
      '--ca',
      roots(),
      '--name',
      'ada',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing was done');
  });

  it('makes the first operator by the credential, once', async () => {
    const first = await enrolFirst('ada', 'ada');
    expect(first).toMatchObject({ code: 0, stdout: 'operator:ada is enrolled with the role operator.\n' });
    expect(statSync(join(directory.path, 'ada')).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory.path, 'ada/operator.key')).mode & 0o777).toBe(0o600);
    const second = await enrolFirst('eve', 'eve');
    expect(second.code).toBe(77);
    expect(second.stderr).toContain('wrong, used up or expired');
    const outcomes = (await audit('operator.enrol')).map(({ target, outcome }) => `${target} ${outcome}`);
    expect(outcomes).toContain('operator:ada allowed');
    expect(outcomes).toContain('operator:eve refused');
    const secret = readFileSync(credential(), 'utf8').trim();
    expect(JSON.stringify(await audit('operator.enrol'))).not.toContain(secret);
  });

  it('knows the operator by the certificate', async () => {
    const { code, stdout } = await citadel('ada', 'operator', 'whoami', ...server(), '-o', 'yaml');
    expect(code).toBe(0);
    expect(stdout).toBe('subject: operator:ada\nrole: operator\nproof: client-certificate\n');
  });

  it('renews a certificate by itself, in the same role', async () => {
    const before = readFileSync(join(directory.path, 'ada/operator.crt'), 'utf8');
    const renewed = await citadel('ada', 'operator', 'enrol', ...server(), '--name', 'ada', '--yes');
    expect(renewed.code).toBe(0);
    expect(readFileSync(join(directory.path, 'ada/operator.crt'), 'utf8')).not.toBe(before);
  });

  it('lets a viewer read and change nothing', async () => {
    const enrolled = await citadel(
      'vic',
      'operator',
      'enrol',
      ...socket(),
      '--name',
      'vic',
      '--role',
      'viewer',
      '--yes',
    );
    expect(enrolled).toMatchObject({ code: 0, stdout: 'operator:vic is enrolled with the role viewer.\n' });
    expect((await citadel('vic', 'authority', 'list', ...server())).code).toBe(0);
    const refused = await citadel(
      'vic',
      'operator',
      'grant',
      ...server(),
      'operator:vic',
      'operator',
      '--yes',
    );
    expect(refused.code).toBe(77);
    expect(refused.stderr).toContain('this needs the role operator; operator:vic has viewer');
    expect(await audit('operator.grantRole')).toContainEqual(
      expect.objectContaining({ outcome: 'refused', subject: 'operator:vic', proof: 'client-certificate' }),
    );
    const other = await citadel('vic', 'operator', 'enrol', ...server(), '--name', 'mallory', '--yes');
    expect(other.code).toBe(77);
  });

  it('closes the door on a revoked operator whose certificate still lives', async () => {
    const revoked = await citadel('ada', 'operator', 'revoke', ...server(), 'operator:vic', '--yes');
    expect(revoked.code).toBe(0);
    const after = await citadel('vic', 'authority', 'list', ...server());
    expect(after.code).toBe(77);
    const again = await citadel('vic', 'operator', 'enrol', ...server(), '--name', 'vic', '--yes');
    expect(again.code).toBe(77);
    expect(await audit('operator.revoke')).toContainEqual(
      expect.objectContaining({ outcome: 'allowed', subject: 'operator:ada', target: 'operator:vic' }),
    );
  });

  it('refuses a caller without any proof', async () => {
    const { code, stderr } = await citadel('stranger', 'certificate', 'list', ...server(), '--ca', roots());
    expect(code).toBe(77);
    expect(stderr).toContain('prove who you are');
  });

  it('refuses a token where no provider is trusted, and does not fall back to the certificate', async () => {
    const token = join(directory.path, 'token');
    writeFileSync(token, 'a.b.c');
    const { code } = await citadel('ada', 'operator', 'whoami', ...server(), '--token-file', token);
    expect(code).toBe(77);
  });

  it('does not use a key that others may read', async () => {
    const key = join(directory.path, 'ada/operator.key');
    chmodSync(key, 0o644);
    const { code, stderr } = await citadel('ada', 'operator', 'whoami', ...server());
    chmodSync(key, 0o600);
    expect(code).toBe(2);
    expect(stderr).toContain('can be read by others');
  });
});

describe('reading commands', () => {
  it('list the operators’ own certificates, and show one by its serial', async () => {
    const listed = await citadel('x', 'certificate', 'list', ...socket(), '-o', 'json', '--state', 'issued');
    expect(listed.code).toBe(0);
    const rows: readonly { readonly serial: string; readonly spiffeId: string }[] = JSON.parse(listed.stdout);
    const ada = rows.find(({ spiffeId }) => spiffeId === 'spiffe://operators.test/citadel/operator/ada');
    if (!ada) throw new Error(`no certificate of ada in ${listed.stdout}`);
    const shown = await citadel('x', 'certificate', 'show', ...socket(), ada.serial);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^pem\s+-----BEGIN CERTIFICATE-----$/m);
  });

  it('show authorities and the bundle', async () => {
    const authorities = await citadel('x', 'authority', 'list', ...socket());
    expect(authorities.stdout).toMatch(/^ID\s+KIND\s+STATE\s+KEY\s+NOT AFTER\s+FINGERPRINT$/m);
    expect(authorities.stdout).toMatch(/\broot\s+active\b/);
    const bundle = await citadel('x', 'bundle', 'show', ...socket(), '-o', 'json');
    expect(JSON.parse(bundle.stdout)).toMatchObject({
      trustDomain: 'operators.test',
      pem: app.authority.bundle().pem,
    });
  });

  it.each([
    [64, ['frobnicate']],
    [64, ['certificate', 'list', '--limit', '0']],
    [64, ['certificate', 'list', '-o', 'xml']],
    [64, ['operator', 'grant', 'operator:x', 'king']],
    [64, ['certificate', 'show', '--socket', 'SOCKET', 'not-hex']],
    [64, ['certificate', 'list', '--socket', 'SOCKET', '--state', 'lost']],
    [64, ['certificate', 'list', '--socket', 'SOCKET', '--spiffe-id', 'spiffe://Upper/x']],
    [66, ['certificate', 'show', '--socket', 'SOCKET', 'abcdef']],
    [66, ['proxy', 'show', '--socket', 'SOCKET', 'none']],
    [69, ['certificate', 'list', '--socket', 'nowhere.sock']],
    [2, ['certificate', 'list']],
    [2, ['server', '--config', 'none.yaml']],
    [2, ['config', 'validate', '--config', 'none.yaml']],
  ])('exit with %i for %j', async (expected, args) => {
    const [, path = ''] = socket();
    const { code, stderr } = await citadel('stranger', ...args.map((arg) => (arg === 'SOCKET' ? path : arg)));
    expect(code).toBe(expected);
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('check a running server', async () => {
    const { code, stdout } = await citadel('x', 'check', ...socket(), '-o', 'json');
    const findings: readonly { readonly severity: string }[] = JSON.parse(stdout);
    expect(findings.length).toBeGreaterThan(0);
    expect(code).toBe(
      findings.some(({ severity }) => severity === 'broken')
        ? 2
        : findings.some(({ severity }) => severity === 'warning')
          ? 1
          : 0,
    );
    expect((await citadel('x', 'check', '--socket', 'nowhere.sock')).code).toBe(2);
  });
});

describe('citadel config validate', () => {
  it('prints each mistake with its place', async () => {
    const file = join(directory.path, 'bad.yaml');
    writeFileSync(file, 'trustDomain: example.org\nlisten:\n  cssr: x\n');
    const { code, stderr } = await citadel('x', 'config', 'validate', '--config', file);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:3:3: listen.cssr: unknown key; did you mean csr?\n`);
  });
});
