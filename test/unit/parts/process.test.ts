import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, startProcess, temporaryDirectory, waitFor } from '../../parts/index.ts';

const node = process.execPath;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startProcess', () => {
  it('is ready at the line it waits for and ends on dispose', async () => {
    const script = 'console.log("port 80"); console.error("noise"); setInterval(() => {}, 1e6)';
    const child = await startProcess(node, ['-e', script], { readyWhen: /^port (\d+)$/ });
    expect((await child.line(/^port (?<port>\d+)$/)).groups).toMatchObject({ port: '80' });
    expect(isAlive(child.pid)).toBe(true);
    await child[Symbol.asyncDispose]();
    expect(child.exit).toEqual({ code: null, signal: 'SIGTERM' });
    expect(isAlive(child.pid)).toBe(false);
  });

  it('fails with the output of a child that ends before it is ready', async () => {
    const script = 'console.error("no such key"); process.exitCode = 3';
    const started = startProcess(node, ['-e', script], { name: 'thing', readyWhen: /ready/ });
    await expect(started).rejects.toThrow(/^thing: ended \(exit code 3\)[^]*no such key$/);
  });

  it('fails and stops a child that is not ready in time', async () => {
    const script = 'setInterval(() => {}, 1e6)';
    let pid = 0;
    const readyWhen = (child: { pid: number }) => {
      pid = child.pid;
      return false;
    };
    const started = startProcess(node, ['-e', script], { name: 'slow', readyWhen, deadline: 300 });
    await expect(started).rejects.toThrow(/slow: waited 300 ms in vain for readiness/);
    expect(isAlive(pid)).toBe(false);
  });

  it('fails for a program that does not exist', async () => {
    await expect(startProcess('/no/such/program', [], { readyWhen: /ready/ })).rejects.toThrow(
      /no\/such\/program|cannot start/,
    );
  });

  it('insists with SIGKILL when the child does not end', async () => {
    const script = 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1e6)';
    const child = await startProcess(node, ['-e', script], { readyWhen: /^up$/, stopDeadline: 100 });
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it.skipIf(!existsSync('/usr/bin/setpriv'))('ends with a parent that is killed', async () => {
    await using directory = await temporaryDirectory();
    const harness = new URL('../../parts/index.ts', import.meta.url).href;
    const script = `
      import { startProcess } from ${JSON.stringify(harness)};
      const child = await startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
      console.log('grandchild ' + child.pid);`;
    await writeFile(directory.join('parent.ts'), script);
    const flags = ['--conditions=citadel-source', directory.join('parent.ts')];
    const parent = await startProcess(node, flags);
    const grandchild = Number((await parent.line(/^grandchild (\d+)$/))[1]);
    expect(isAlive(grandchild)).toBe(true);
    parent.kill('SIGKILL');
    await parent.exited;
    // Without a process 1 that reaps, an orphan that has ended may stay a zombie; that counts as ended.
    await waitFor(async () => !isAlive(grandchild) || (await stateOf(grandchild)) === 'Z', {
      deadline: 5_000,
    });
  });
});

async function stateOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ');
  return /^State:\s+(\w)/m.exec(status)?.[1];
}

describe('waitFor', () => {
  it('gives the first truthy value', async () => {
    let calls = 0;
    expect(await waitFor(() => ++calls === 3 && calls, { interval: 1 })).toBe(3);
  });

  it('names what it waited for and the last error', async () => {
    const never = () => Promise.reject(new Error('refused'));
    await expect(waitFor(never, { deadline: 20, interval: 1, what: 'the door' })).rejects.toThrow(
      'waited 20 ms in vain for the door; last error: refused',
    );
  });

  it('cuts off a condition that never settles', async () => {
    const hangs = () => new Promise<boolean>(() => undefined);
    await expect(waitFor(hangs, { deadline: 20 })).rejects.toThrow(/did not answer in time/);
  });

  it('ends with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('over'));
    await expect(waitFor(() => false, { signal })).rejects.toThrow('over');
  });
});

describe('freePort and temporaryDirectory', () => {
  it('gives a port that can be bound', async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    server.close();
    expect(port).toBeGreaterThan(0);
  });

  it('deletes the directory with what is in it', async () => {
    const directory = await temporaryDirectory();
    await writeFile(directory.join('file'), 'x');
    await directory[Symbol.asyncDispose]();
    expect(existsSync(directory.path)).toBe(false);
  });
});
