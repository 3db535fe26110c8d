import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { waitFor } from '../parts/index.ts';

const program = join(import.meta.dirname, '../../scripts/citadel');

const diagnosticsMessage = z.object({
  method: z.literal('textDocument/publishDiagnostics'),
  params: z.object({
    uri: z.string(),
    version: z.number().optional(),
    diagnostics: z.array(
      z.object({
        message: z.string(),
        severity: z.number(),
        code: z.union([z.string(), z.number()]).optional(),
        range: z.unknown(),
      }),
    ),
  }),
});
const logMessage = z.object({
  method: z.literal('window/logMessage'),
  params: z.object({ type: z.number(), message: z.string() }),
});
const configurationRequest = z.object({
  id: z.number(),
  method: z.literal('workspace/configuration'),
  params: z.object({ items: z.array(z.object({ section: z.string() })) }),
});
const reply = z.object({
  id: z.number(),
  // A request of the server's has an id of its own.
  method: z.undefined().optional(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});
export type Reply = z.infer<typeof reply>;

/** An editor, as far as the protocol goes: messages with their length in front, on the server's pipes. */
export class Editor implements AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  readonly received: unknown[] = [];
  readonly #uri: string;
  #settings: Readonly<Record<string, unknown>> = {};
  #pending = Buffer.alloc(0);
  #id = 0;
  #version = 1;

  /**
   * @param args of citadel, or of another server
   * @param directory where it runs
   * @param uri of the document that is meant where none is named
   */
  constructor(
    args: readonly string[],
    {
      directory,
      uri = 'file:///shop/policies.yaml',
      home = 'home',
      server = program,
    }: {
      readonly directory: string;
      readonly uri?: string;
      readonly home?: string;
      readonly server?: string;
    },
  ) {
    this.#uri = uri;
    this.process = spawn(server, [...args], {
      cwd: directory,
      env: { PATH: process.env['PATH'], CITADEL_HOME: join(directory, home) },
    });
    // Who speaks to a server that has ended is told so by its exit.
    this.process.stdin.on('error', () => undefined);
    this.process.stdout.on('data', (chunk: Buffer) => {
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
      const message: unknown = JSON.parse(this.#pending.toString('utf8', end + 4, end + 4 + length));
      this.received.push(message);
      const { data: asked } = configurationRequest.safeParse(message);
      if (asked) {
        const result = asked.params.items.map(({ section }) => this.#settings[section] ?? null);
        this.send({ id: asked.id, result });
      }
      this.#pending = this.#pending.subarray(end + 4 + length);
    }
  }

  send(message: object): void {
    this.sendText(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Whatever it is, with its length in front. */
  sendText(text: string): void {
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  /** @returns its id, by which `answer` waits */
  request(method: string, params: object): number {
    const id = ++this.#id;
    this.send({ id, method, params });
    return id;
  }

  answer(id: number): Promise<Reply> {
    const find = () =>
      this.received.map((each) => reply.safeParse(each).data).find((each) => each?.id === id);
    return waitFor(find, { what: `the answer to ${id}` });
  }

  async ask(method: string, params: object): Promise<unknown> {
    return (await this.answer(this.request(method, params))).result;
  }

  /** @param settings by section, for a server that asks for some */
  async start(
    text: string,
    {
      workspace,
      settings,
    }: { readonly workspace?: string; readonly settings?: Readonly<Record<string, unknown>> } = {},
  ): Promise<unknown> {
    this.#settings = settings ?? {};
    const folders = workspace === undefined ? {} : { workspaceFolders: [{ uri: workspace, name: 'w' }] };
    const started = await this.ask('initialize', {
      processId: process.pid,
      rootUri: workspace ?? null,
      capabilities: settings ? { workspace: { configuration: true } } : {},
      ...folders,
    });
    this.send({ method: 'initialized', params: {} });
    this.open(text);
    return started;
  }

  open(text: string, uri = this.#uri): void {
    this.send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
  }

  change(text: string): void {
    this.#version++;
    this.send({
      method: 'textDocument/didChange',
      params: { textDocument: { uri: this.#uri, version: this.#version }, contentChanges: [{ text }] },
    });
  }

  close(uri = this.#uri): void {
    this.send({ method: 'textDocument/didClose', params: { textDocument: { uri } } });
  }

  save(): void {
    this.send({ method: 'textDocument/didSave', params: { textDocument: { uri: this.#uri } } });
  }

  at(method: string, line: number, character: number): Promise<unknown> {
    return this.ask(`textDocument/${method}`, {
      textDocument: { uri: this.#uri },
      position: { line, character },
    });
  }

  /** The last that was said of a text. */
  diagnostics(uri = this.#uri) {
    return this.received
      .map((each) => diagnosticsMessage.safeParse(each).data?.params)
      .findLast((each) => each?.uri === uri);
  }

  /** Waits until just these are said of a text: their checks' names, or their messages where they have none. */
  diagnosed(expected: readonly string[], uri = this.#uri): Promise<unknown> {
    const isSaid = () => {
      const said = this.diagnostics(uri)?.diagnostics.map(({ code, message }) => code ?? message);
      if (said?.join('\n') === expected.join('\n')) return true;
      throw new Error(`it says ${JSON.stringify(said)}`);
    };
    return waitFor(isSaid, { what: `${JSON.stringify(expected)} to be said of ${uri}` });
  }

  /** What its author is told apart from any text. */
  logged(): readonly string[] {
    return this.received.flatMap((each) => logMessage.safeParse(each).data?.params.message ?? []);
  }

  /** @returns its exit code */
  async end(): Promise<unknown> {
    await this.ask('shutdown', {});
    return this.exited(() => this.send({ method: 'exit' }));
  }

  /** @returns its exit code, after this was done */
  async exited(act: () => void): Promise<unknown> {
    const exited = once(this.process, 'exit');
    act();
    const [code] = await exited;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    await this.exited(() => this.process.kill());
  }
}
