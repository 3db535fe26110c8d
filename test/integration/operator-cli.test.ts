import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConfigFromObject } from '../../src/app/config/index.ts';
import { type App, createApp } from '../../src/app/index.ts';
import { memoryStore } from '../fakes/memory-store.ts';
import { TestAuthority } from '../fakes/test-authority.ts';
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

  it('says of a reason that is too long that it is', async () => {
    const taint = ['authority', 'taint', 'issuing-0', '--yes', '--reason', 'r'.repeat(1025)];
    const { code, stderr } = await citadel('nobody', ...taint, ...socket());
    expect(stderr).toContain('a reason may have 1024 characters at most');
    expect(code).toBe(64);
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
    expect(refused.stderr).toContain(
      'this needs the role operator; operator:vic has viewer; an operator grants it with: citadel operator grant operator:vic operator\n',
    );
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

describe('whoever enrols', () => {
  const enrol = (home: string, name: string, ...more: readonly string[]) =>
    citadel(home, 'operator', 'enrol', ...socket(), '--name', name, '--role', 'viewer', ...more);

  it('loses no credential to a directory that cannot be written', async () => {
    writeFileSync(join(directory.path, 'in-the-way'), '');
    const { code, stderr } = await enrol('in-the-way/home', 'lost', '--yes');
    expect(code).toBe(2);
    expect(stderr).toMatch(/in-the-way\/home cannot be written .*CITADEL_HOME/);
    expect((await audit('operator.enrol')).map(({ target }) => target)).not.toContain('operator:lost');
  });

  it('is told whose certificate and key are replaced', async () => {
    expect((await enrol('shared', 'one', '--yes')).stderr).not.toContain('in place of');
    expect((await enrol('shared', 'two')).stderr).toContain('in place of those of one (CITADEL_HOME names');
    expect((await enrol('shared', 'one')).stderr).not.toContain('in place of');
  });

  it('is told that what is there is damaged', async () => {
    await enrol('damaged', 'dan', '--yes');
    writeFileSync(join(directory.path, 'damaged/operator.crt'), 'x');
    const { code, stderr } = await citadel('damaged', 'operator', 'whoami', ...server());
    expect(code).toBe(2);
    expect(stderr).toMatch(/in \S+damaged are damaged; enrol again/);
  });
});

describe('a server that is not the one meant', () => {
  const whoami = (...args: readonly string[]) => citadel('ada', 'operator', 'whoami', ...args);
  const file = (name: string, text: string) => {
    writeFileSync(join(directory.path, name), text);
    return name;
  };

  it('has other roots', async () => {
    const { root } = await TestAuthority.create('other.test');
    const { code, stderr } = await whoami(...server(), '--ca', file('other.pem', root.toString('pem')));
    expect(code).toBe(2);
    expect(stderr).toContain('its certificate is not trusted');
  });

  it.each([
    ['is the CSR API', () => ['--server', `localhost:${app.csr.port}`], 'does not know this command'],
    [
      'speaks no TLS',
      () => ['--server', `localhost:${app.monitoring.address.port}`],
      'no TLS is spoken there',
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await whoami(...args());
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('is verified by its address as well, without a word of Node', async () => {
    const { code, stderr } = await whoami('--server', `127.0.0.1:${app.operator.port}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('cannot be judged by a file without certificates', async () => {
    const { code, stderr } = await whoami(...server(), '--ca', file('no.pem', 'roots'));
    expect(code).toBe(2);
    expect(stderr).toContain('holds no PEM certificate');
  });
});

describe('one server is asked', () => {
  const path = 'operator.sock';
  const whoami = (variables: NodeJS.ProcessEnv, ...args: readonly string[]) =>
    runCitadel(['operator', 'whoami', ...args, '-o', 'json'], {
      directory: directory.path,
      home: 'ada',
      variables,
    });

  it('that which an option names, before that of the environment', async () => {
    const overTls = await whoami({ CITADEL_SOCKET: 'nowhere.sock' }, ...server());
    expect(overTls.stdout).toContain('client-certificate');
    const local = await whoami({ CITADEL_SERVER: 'localhost:1' }, '--socket', path);
    expect(local.stdout).toContain('local-socket');
  });

  it('never one of two', async () => {
    for (const outcome of [
      await whoami({}, '--socket', path, ...server()),
      await whoami({ CITADEL_SOCKET: path, CITADEL_SERVER: 'localhost:1' }),
    ]) {
      expect(outcome.code).toBe(64);
      expect(outcome.stderr).toContain('name two servers');
    }
  });
});

describe('reading commands', () => {
  it('find an authority by what the table shows of it, and what it issued', async () => {
    const [issuing] = (await store.authorities.list()).filter(({ kind }) => kind === 'issuing');
    if (!issuing) throw new Error('there is no issuing authority');
    const shown = issuing.fingerprint.slice(0, 16);
    for (const name of [issuing.id, shown, shown.toUpperCase(), issuing.fingerprint]) {
      const authority = await citadel('x', 'authority', 'show', ...socket(), name);
      expect(authority.stdout).toMatch(new RegExp(`^id +${issuing.id}$`, 'm'));
      const issued = await citadel('x', 'certificate', 'list', ...socket(), '--issuer', name);
      expect(issued.stdout).toMatch(/operator\/ada/);
    }
  });

  it('take a duration of the audit record as one before now', async () => {
    const events = (...args: readonly string[]) => citadel('x', 'audit', 'list', ...socket(), ...args);
    expect((await events('--after', '1h')).stdout).toContain('operator.enrol');
  });

  it('print the bundle alone, as programs take it', async () => {
    const bundle = (format: string) => citadel('x', 'bundle', 'show', ...socket(), '--format', format);
    expect((await bundle('pem')).stdout).toBe(app.authority.bundle().pem);
    expect(JSON.parse((await bundle('spiffe')).stdout)).toMatchObject({ keys: [{ use: 'x509-svid' }] });
  });

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
    [69, ['certificate', 'list', '--socket', 'nowhere.sock', '--issuer', 'abcd']],
    [66, ['certificate', 'list', '--socket', 'SOCKET', '--issuer', 'ffffffff']],
    [66, ['authority', 'show', '--socket', 'SOCKET', 'ffffffff']],
    [64, ['certificate', 'list', '--socket', 'SOCKET', '--expires-before', '2026-01-01']],
    [64, ['operator', 'whoami', '--server', 'https://localhost:8443']],
    [64, ['check', '--server', 'https://localhost:8443']],
    [64, ['bundle', 'show', '--socket', 'SOCKET', '--format', 'pem', '-o', 'json']],
    [64, ['policy', 'history', '--socket', 'SOCKET', 'AuthorisationPolicy/shop/a']],
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
  it('tells whoever judges an agent’s as a server’s', async () => {
    const file = join(directory.path, 'agent.yaml');
    writeFileSync(
      file,
      `trustDomain: a.example\nserver: {address: "a:1", trust: {bundleFile: b}}\nsocket: {path: s}\n`,
    );
    const asServer = await citadel('x', 'config', 'validate', '--config', file);
    expect(asServer.code).toBe(2);
    expect(asServer.stderr).toContain('--kind agent');
    const asAgent = await citadel('x', 'config', 'validate', '--config', file, '--kind', 'agent');
    expect(asAgent).toMatchObject({ code: 0, stderr: '' });
  });

  it('prints each mistake with its place', async () => {
    const file = join(directory.path, 'bad.yaml');
    writeFileSync(file, 'trustDomain: example.org\nlisten:\n  cssr: x\n');
    const { code, stderr } = await citadel('x', 'config', 'validate', '--config', file);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:3:3: listen.cssr: unknown key; did you mean csr?\n`);
  });
});
