import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess, type TemporaryDirectory, temporaryDirectory, waitFor } from '../parts/index.ts';
import { Editor } from '../support/editor.ts';

const program = join(import.meta.dirname, '../../scripts/citadel');

const workload = (name: string) => `---
apiVersion: citadel.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { serviceAccount: ${name}, addresses: ["127.0.0.1"], ports: [{ port: 8080 }] }
`;
const policy = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n${spec}`;

describe('citadel policy lsp', () => {
  let directory: TemporaryDirectory;
  const start = (...args: readonly string[]) =>
    new Editor(['policy', 'lsp', '--stdio', ...args], { directory: directory.path });
  beforeEach(async () => {
    directory = await temporaryDirectory('lsp');
    mkdirSync(directory.join('registry'));
    writeFileSync(directory.join('registry', 'shop.yaml'), workload('orders') + workload('web'));
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  it('tells an editor what is wrong, what a field means, and what may stand there, by a registry', async () => {
    await using editor = start('--registry', 'registry', '--trust-domain', 'example.org');
    expect(await editor.start(policy('  actoin: DENY\n'))).toMatchObject({
      capabilities: { hoverProvider: true, completionProvider: {} },
    });
    await waitFor(() => editor.diagnostics()?.diagnostics.length === 1, { what: 'a problem' });
    expect(editor.diagnostics()?.diagnostics).toEqual([
      {
        message: 'spec.actoin: unknown key; did you mean action?',
        severity: 1,
        range: { start: { line: 4, character: 2 }, end: { line: 4, character: 8 } },
      },
    ]);

    // A warning of the registry's: the world has been loaded.
    editor.change(policy('  selector: {matchLabels: {app: none}}\n  rules: [{}]\n'));
    await editor.diagnosed(['selector-matches-nothing']);
    editor.change(policy('  selector: {matchLabels: {app: web}}\n  rules: [{}]\n'));
    await editor.diagnosed([]);

    expect(await editor.at('hover', 4, 4)).toMatchObject({
      contents: { kind: 'markdown', value: expect.stringContaining('Holds for 1 workload: `shop/web`.') },
      range: { start: { line: 4, character: 2 }, end: { line: 4, character: 10 } },
    });
    editor.change(
      policy('  rules:\n    - from:\n        - source: { principals: ["example.org/ns/shop/sa/w"] }\n'),
    );
    expect(await editor.at('completion', 6, 58)).toMatchObject([
      {
        label: 'example.org/ns/shop/sa/web',
        textEdit: {
          newText: 'example.org/ns/shop/sa/web',
          range: { start: { line: 6, character: 34 }, end: { line: 6, character: 58 } },
        },
      },
    ]);
    expect(await editor.end()).toBe(0);
  });

  it('sees that the registry has changed when a text is saved', async () => {
    await using editor = start('--registry', 'registry');
    await editor.start(policy('  selector: {matchLabels: {app: mail}}\n  rules: [{}]\n'));
    await editor.diagnosed(['selector-matches-nothing']);
    writeFileSync(directory.join('registry', 'mail.yaml'), workload('mail'));
    editor.save();
    await editor.diagnosed([]);
  });

  it('works without a world, and with one that cannot be had', async () => {
    for (const args of [[], ['--registry', 'none']]) {
      await using editor = start(...args);
      await editor.start(
        policy('  selector: {matchLabels: {app: none}}\n  rules: [{to: [{operation: {methods: [get]}}]}]\n'),
      );
      await editor.diagnosed(['method-in-lower-case']);
      if (args.length > 0)
        expect(JSON.stringify(editor.received)).toContain(
          'what is there is not known: the registry none does not exist',
        );
    }
  });

  it('counts in UTF-16, and forgets a file that is closed', async () => {
    await using editor = start();
    await editor.start(policy('  rules: [{to: [{operation: {paths: ["/😀ü"], methods: ["get"]}}]}]\n'));
    await editor.diagnosed(['path-never-matches', 'method-in-lower-case']);
    // As JavaScript's strings count: the face is two.
    expect(editor.diagnostics()?.diagnostics[1]?.range).toEqual({
      start: { line: 4, character: 56 },
      end: { line: 4, character: 61 },
    });
    // As an editor says that a file has another name now.
    editor.close();
    editor.open(policy('  rules: [{to: [{operation: {methods: ["put"]}}]}]\n'), 'file:///shop/renamed.yaml');
    await editor.diagnosed(['method-in-lower-case'], 'file:///shop/renamed.yaml');
    expect(editor.diagnostics()?.diagnostics).toEqual([]);
  });

  it('goes on after messages that are none, and ends where nobody can tell one from the next', async () => {
    await using editor = start();
    await editor.start(policy('  rules: [{}]\n'));
    for (const text of ['{bad}', '[]', 'null', '7', '{"jsonrpc":"2.0","id":{}}']) editor.sendText(text);
    const hover = (line: number) => ({
      textDocument: { uri: 'file:///shop/policies.yaml' },
      position: { line, character: 0 },
    });
    expect(await editor.answer(editor.request('no/such', {}))).toMatchObject({ error: { code: -32601 } });
    expect(await editor.ask('textDocument/hover', hover(99))).toBeNull();
    expect(await editor.ask('textDocument/hover', hover(1))).toMatchObject({ contents: {} });
    expect(editor.logged()).toContainEqual(expect.stringContaining('passed over a message that is no JSON'));
    // What nobody waits for any more is not worked on.
    editor.process.stdin.cork();
    const asked = Array.from({ length: 20 }, () => editor.request('textDocument/hover', hover(1)));
    editor.send({ method: '$/cancelRequest', params: { id: asked[19] } });
    editor.process.stdin.uncork();
    expect(await editor.answer(asked[19] ?? 0)).toMatchObject({ error: { code: -32800 } });
    expect(await editor.answer(asked[18] ?? 0)).toMatchObject({ result: { contents: {} } });
    // After shutdown there is nothing but exit.
    await editor.ask('shutdown', {});
    expect(await editor.answer(editor.request('textDocument/hover', hover(1)))).toMatchObject({
      error: { code: -32600 },
    });
    let said = '';
    editor.process.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await editor.exited(() => editor.process.stdin.write('hello\r\n\r\n'))).toBe(2);
    expect(said).toContain('what arrives is no Language Server Protocol');
  });

  it.for<[string, (editor: Editor) => void, number]>([
    ['closes its input', ({ process: server }) => server.stdin.end(), 1],
    ['says exit without shutdown', (editor) => editor.send({ method: 'exit' }), 1],
    [
      'hears no more of what is said',
      (editor) => {
        editor.process.stdout.destroy();
        editor.change(policy('  actoin: DENY\n'));
      },
      0,
    ],
  ])('ends with an editor that %s', async ([, act, code]) => {
    // Whatever else it does meanwhile.
    for (const args of [[], ['--registry', 'registry']]) {
      await using editor = start(...args);
      await editor.start(policy('  rules: [{}]\n'));
      await editor.diagnosed([]);
      let said = '';
      editor.process.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      expect(await editor.exited(() => act(editor))).toBe(code);
      expect(said).toBe('');
    }
  });

  it('ends where its input is a file', async () => {
    // That of a job without any.
    await using server = await startProcess(program, ['policy', 'lsp']);
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr()).toBe('');
  });

  it('ends with an editor that is gone while another holds its pipes', async () => {
    await using editor = start();
    const short = spawn('true');
    await once(short, 'exit');
    const exited = once(editor.process, 'exit');
    editor.request('initialize', { processId: short.pid, rootUri: null, capabilities: {} });
    expect((await exited)[0]).toBe(1);
  });
});
