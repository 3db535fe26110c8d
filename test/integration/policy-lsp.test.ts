import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../parts/index.ts';

const program = join(import.meta.dirname, '../../scripts/citadel');
const uri = 'file:///shop/policies.yaml';
const workload = (name: string) => `---
apiVersion: citadel.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { serviceAccount: ${name}, addresses: ["127.0.0.1"], ports: [{ port: 8080 }] }
`;
const policy = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n${spec}`;

const diagnosticsMessage = z.object({
  method: z.literal('textDocument/publishDiagnostics'),
  params: z.object({
    uri: z.string(),
    version: z.number().optional(),
    diagnostics: z.array(
      z.object({
        message: z.string(),
        severity: z.number(),
        code: z.string().optional(),
        range: z.unknown(),
      }),
    ),
  }),
});
const reply = z.object({ id: z.number(), result: z.unknown() });

/** An editor, as far as the protocol goes: messages with their length in front, on the server's pipes. */
class Editor implements AsyncDisposable {
  readonly #server: ChildProcessWithoutNullStreams;
  readonly received: unknown[] = [];
  #pending = Buffer.alloc(0);
  #id = 0;
  #version = 1;

  constructor(args: readonly string[], directory: string) {
    this.#server = spawn(program, ['policy', 'lsp', '--stdio', ...args], {
      cwd: directory,
      env: { PATH: process.env['PATH'], CITADEL_HOME: join(directory, 'home') },
    });
    this.#server.stdout.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#read();
    });
  }

  #read(): void {
    for (;;) {
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(this.#pending.toString('latin1', 0, end))?.[1]);
      if (this.#pending.length < end + 4 + length) return;
      this.received.push(JSON.parse(this.#pending.toString('utf8', end + 4, end + 4 + length)));
      this.#pending = this.#pending.subarray(end + 4 + length);
    }
  }

  send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  async ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#id;
    this.send({ id, method, params });
    const found = await waitFor(
      () => this.received.map((each) => reply.safeParse(each).data).find((each) => each?.id === id),
      {
        what: method,
      },
    );
    return found.result;
  }

  async start(text: string): Promise<unknown> {
    const started = await this.ask('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
    this.send({ method: 'initialized', params: {} });
    this.send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
    return started;
  }

  change(text: string): void {
    this.#version++;
    this.send({
      method: 'textDocument/didChange',
      params: { textDocument: { uri, version: this.#version }, contentChanges: [{ text }] },
    });
  }

  at(method: string, line: number, character: number): Promise<unknown> {
    return this.ask(`textDocument/${method}`, { textDocument: { uri }, position: { line, character } });
  }

  /** The last that was said of the text. */
  diagnostics() {
    return this.received
      .map((each) => diagnosticsMessage.safeParse(each).data?.params)
      .findLast((each) => each?.uri === uri);
  }

  /** @returns its exit code */
  async end(): Promise<unknown> {
    await this.ask('shutdown', {});
    const exited = once(this.#server, 'exit');
    this.send({ method: 'exit' });
    const [code] = await exited;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.exitCode !== null) return;
    const exited = once(this.#server, 'exit');
    this.#server.kill();
    await exited;
  }
}

describe('citadel policy lsp', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await temporaryDirectory('lsp');
    mkdirSync(directory.join('registry'));
    writeFileSync(directory.join('registry', 'shop.yaml'), workload('orders') + workload('web'));
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  it('tells an editor what is wrong, what a field means, and what may stand there, by a registry', async () => {
    await using editor = new Editor(
      ['--registry', 'registry', '--trust-domain', 'example.org'],
      directory.path,
    );
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
    await waitFor(() => editor.diagnostics()?.diagnostics[0]?.code === 'selector-matches-nothing', {
      what: 'a warning',
    });
    editor.change(policy('  selector: {matchLabels: {app: web}}\n  rules: [{}]\n'));
    await waitFor(() => editor.diagnostics()?.diagnostics.length === 0, { what: 'no warning' });

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
    await using editor = new Editor(['--registry', 'registry'], directory.path);
    await editor.start(policy('  selector: {matchLabels: {app: mail}}\n  rules: [{}]\n'));
    await waitFor(() => editor.diagnostics()?.diagnostics[0]?.code === 'selector-matches-nothing', {
      what: 'a warning',
    });
    writeFileSync(directory.join('registry', 'mail.yaml'), workload('mail'));
    editor.send({ method: 'textDocument/didSave', params: { textDocument: { uri } } });
    await waitFor(() => editor.diagnostics()?.diagnostics.length === 0, { what: 'no warning' });
  });

  it('works without a world, and with one that cannot be had', async () => {
    for (const args of [[], ['--registry', 'none']]) {
      await using editor = new Editor(args, directory.path);
      await editor.start(
        policy('  selector: {matchLabels: {app: none}}\n  rules: [{to: [{operation: {methods: [get]}}]}]\n'),
      );
      await waitFor(
        () =>
          editor
            .diagnostics()
            ?.diagnostics.map(({ code }) => code)
            .join() === 'method-in-lower-case',
        {
          what: 'one warning',
        },
      );
      if (args.length > 0)
        expect(JSON.stringify(editor.received)).toContain('what is there is not known: none cannot be read');
    }
  });
});
