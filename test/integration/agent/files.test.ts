import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startAgent } from '../../fakes/agent-fixture.ts';
import { startProcess, temporaryDirectory, waitFor } from '../../parts/index.ts';

test('key and chain change together, by one link, and the command runs after each change', async () => {
  await using target = await temporaryDirectory('files');
  const directory = target.join('tls');
  const journal = target.join('journal');
  const record = `require('node:fs').appendFileSync(process.argv[1], require('node:fs').readFileSync(process.argv[2]))`;
  const command = [process.execPath, '-e', record, journal, `${directory}/current/tls.crt`];
  await using fixture = await startAgent({ agent: { files: { directory, command } } });

  const written = async (count: number) =>
    await waitFor(async () => {
      const text = await readFile(journal, 'utf8');
      return text.match(/BEGIN CERTIFICATE/g)?.length === count * 2;
    });
  await written(1);
  expect((await stat(`${directory}/current/tls.key`)).mode & 0o777).toBe(0o600);
  expect((await stat(`${directory}/current/tls.pem`)).mode & 0o777).toBe(0o600);
  expect((await stat(`${directory}/current/tls.crt`)).mode & 0o777).toBe(0o644);
  expect(await readFile(`${directory}/current/ca.crt`, 'utf8')).toBe(
    fixture.authority.rootPem.trim().concat('\n'),
  );

  const before = await readlink(`${directory}/current`);
  for (const count of [2, 3, 4]) {
    fixture.agent.renewNow();
    await written(count);
    const leaf = new X509Certificate(await readFile(`${directory}/current/tls.crt`));
    expect(leaf.serialNumber.toLowerCase()).toBe(fixture.service.serials[count - 1]);
    expect(leaf.checkPrivateKey(createPrivateKey(await readFile(`${directory}/current/tls.key`)))).toBe(true);
  }
  // The newest, the one before it for those who have just opened it, and the link.
  const names = await readdir(directory);
  expect(names).toHaveLength(3);
  expect(names).not.toContain(before);
  const consumer = fixture.agent.consumers().find(({ kind }) => kind === 'file');
  expect(consumer?.resources.find(({ kind }) => kind === 'svid')?.sent).toBe(fixture.service.serials[3]);
});

test('a signal goes to the process of the pid file; a hook that fails or hangs does not stop renewal', async () => {
  await using target = await temporaryDirectory('files');
  const code = `process.on('SIGHUP', () => console.log('reloaded')); setInterval(() => {}, 1000); console.log('ready')`;
  await using program = await startProcess(process.execPath, ['-e', code], { readyWhen: /ready/ });
  const pidFile = target.join('pid');
  await writeFile(pidFile, `${program.pid}\n`);
  await using signalled = await startAgent({
    agent: { files: { directory: target.join('a'), signal: { name: 'SIGHUP', pidFile } } },
  });
  await program.line(/reloaded/);
  expect(signalled.service.serials).toHaveLength(1);

  const command = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
  await using hung = await startAgent({
    agent: { files: { directory: target.join('b'), command, deadline: 100 } },
  });
  await waitFor(() => hung.lines.some(({ message }) => message.includes('after renewal failed')));
  hung.agent.renewNow();
  await waitFor(() => hung.lines.filter(({ message }) => message.includes('files written')).length === 2);
});

test('a directory that cannot be written is said aloud and tried again', async () => {
  await using target = await temporaryDirectory('files');
  const directory = target.join('taken');
  await writeFile(directory, 'a file where the directory should be');
  await using fixture = await startAgent({ agent: { files: { directory } } });
  await waitFor(
    () => fixture.lines.filter(({ message }) => message.includes('cannot be written')).length >= 2,
  );
  await rm(directory);
  await waitFor(() => fixture.lines.some(({ message }) => message.includes('files written')));
});
