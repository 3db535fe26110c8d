import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  hasPart,
  type OpenBao,
  startOpenBao,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const policyFile = join(import.meta.dirname, '../../../deploy/vault/citadel-policy.hcl');

interface Step {
  readonly name: string;
  readonly result: string;
  readonly detail: string;
  readonly mend: string;
}

describe.skipIf(!hasPart('openbao'))('citadel rotate rehearse, in a real OpenBao', () => {
  let bao: OpenBao;
  let temporary: TemporaryDirectory;
  let server: TestServer;
  let policy: string;
  beforeAll(async () => {
    policy = await readFile(policyFile, 'utf8');
    temporary = await temporaryDirectory();
    bao = await startOpenBao();
    const { vault, issuingKeys } = await vaultSettings(bao, temporary.path);
    server = await startTestServer({ keys: { vault }, issuingKeys }, { directory: temporary.path });
  });
  afterAll(async () => {
    await server?.stop();
    await bao?.[Symbol.asyncDispose]();
    await temporary[Symbol.asyncDispose]();
  });
  afterEach(() => grant(policy));

  const grant = (text: string) => bao.request('PUT', 'sys/policies/acl/citadel', { policy: text });
  const keys = async () => {
    const reply = await bao.request('LIST', 'transit/keys');
    return JSON.stringify(reply).match(/citadel-rehearsal-[0-9a-z-]+/g) ?? [];
  };
  async function rehearse(): Promise<{ code: number; ok: boolean; steps: readonly Step[] }> {
    const socket = join(temporary.path, 'operator.sock');
    const { code, stdout } = await runCitadel(['rotate', 'rehearse', '-o', 'json', '--socket', socket], {
      directory: temporary.path,
      home: 'home',
    });
    return { code, ...JSON.parse(stdout) };
  }

  it('does each step by the permissions of deploy/vault, and leaves no key there', async () => {
    const { code, ok, steps } = await rehearse();
    expect(steps.filter(({ result }) => result !== 'done')).toStrictEqual([]);
    expect({ code, ok }).toStrictEqual({ code: 0, ok: true });
    expect(await keys()).toStrictEqual([]);
  });

  it.each([
    {
      lacks: 'create',
      without: (text: string) => text.replace('["create", "read", "update", "delete"]', '["read", "delete"]'),
      failed: ['make a root key'],
      mend: 'grant path "transit/keys/citadel-*" { capabilities = ["create", "update"] }',
    },
    {
      lacks: 'sign',
      without: (text: string) => text.replace('path "transit/sign/citadel-*"', 'path "transit/sign/other-*"'),
      failed: ['sign a root certificate'],
      mend: 'grant path "transit/sign/citadel-*" { capabilities = ["update"] }',
    },
    {
      lacks: 'list',
      without: (text: string) => text.replace('["list"]', '["deny"]'),
      failed: ['reach the key home'],
      mend: 'grant path "transit/keys" { capabilities = ["list"] }',
    },
  ])('names what is to be granted where the policy lacks $lacks', async ({ without, failed, mend }) => {
    expect(without(policy)).not.toBe(policy);
    await grant(without(policy));
    const { code, ok, steps } = await rehearse();
    expect({ code, ok }).toStrictEqual({ code: 2, ok: false });
    const wrong = steps.filter(({ result }) => result === 'failed');
    expect(wrong.map(({ name }) => name)).toStrictEqual(failed);
    expect(wrong[0]?.mend).toContain(mend);
    expect(await keys()).toStrictEqual([]);
  });

  it('names the key that it may not delete, and removes it once it may', async () => {
    await grant(policy.replace(', "delete"]', ']'));
    const { ok, steps } = await rehearse();
    expect(ok).toBe(false);
    const [left, ...others] = await keys();
    expect(others).toStrictEqual([]);
    const wrong = steps.filter(({ result }) => result === 'failed');
    expect(wrong).toMatchObject([
      {
        name: 'destroy the root key',
        detail: expect.stringContaining(left?.replace(/^citadel-/, '') ?? 'none is left'),
        mend: expect.stringContaining('grant path "transit/keys/citadel-*" { capabilities = ["delete"] }'),
      },
    ]);
    await grant(policy);
    expect(await rehearse()).toMatchObject({ ok: true });
    expect(await keys()).toStrictEqual([]);
  });
});
