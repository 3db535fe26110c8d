import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  hasPart,
  requirePart,
  startProcess,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from '../parts/index.ts';
import { Editor } from '../support/editor.ts';
import { registryText } from '../support/registry.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/policy-ci.md'), 'utf8');

/** What the page has people write: the language and the name behind the fence. */
function block(head: string): string {
  const [, content] = new RegExp(`^\`\`\`${head}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page) ?? [];
  if (content === undefined) throw new Error(`docs/policy-ci.md has no block ${head}`);
  return content;
}

/** A rule that reads wrongly, a selector for one workload, and a principal of which the author has written half. */
const draft = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: draft, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - to: [{ operation: { methods: ["get"] } }]
      from: [{ source: { principals: ["cluster.local/ns/shop/sa/w"] } }]
`;

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('policy-editors');
  mkdirSync(directory.join('repository/.git'), { recursive: true });
  const workload = (name: string) => ({ name, ports: [{ port: 8080, application: 9080 }] });
  write('repository/registry/shop.yaml', registryText(['orders', 'web'].map(workload)));
  write('repository/policies/shop/draft.yaml', draft);
  const pid = `echo $$ >${directory.join('server.pid')}`;
  write('bin/citadel', `#!/bin/sh\n${pid}\nexec ${join(root, 'scripts/citadel')} "$@"\n`);
  chmodSync(directory.join('bin/citadel'), 0o755);
});
afterAll(() => directory[Symbol.asyncDispose]());

function write(name: string, content: string): void {
  mkdirSync(dirname(directory.join(name)), { recursive: true });
  writeFileSync(directory.join(name), content);
}

/**
 * What a person does, and sees: the file opened, a word pointed at, a name completed; then the editor stays open. Nothing
 * in it waits: an editor that waits within a wait waits for ever, and asks all the while.
 */
const session = `
vim.cmd.edit('draft.yaml')
local seen = {}
local function ask(client, method, line, character, next)
  local params = { textDocument = vim.lsp.util.make_text_document_params(), position = { line = line, character = character } }
  client:request(method, params, function(_, answer)
    -- The registry is read meanwhile: until it is, nothing is known of workloads.
    if vim.json.encode(answer or vim.NIL):find('shop') == nil then
      return vim.defer_fn(function() ask(client, method, line, character, next) end, 50)
    end
    next(answer)
  end)
end
vim.api.nvim_create_autocmd('DiagnosticChanged', {
  callback = function()
    if #vim.diagnostic.get(0) == 0 or seen.client then return end
    local client = vim.lsp.get_clients({ bufnr = 0 })[1]
    seen.client = client.name
    seen.diagnostics = vim.tbl_map(function(each)
      return { code = each.code, line = each.lnum, column = each.col, message = each.message }
    end, vim.diagnostic.get(0))
    ask(client, 'textDocument/hover', 4, 4, function(hover)
      seen.hover = hover
      ask(client, 'textDocument/completion', 7, 65, function(completion)
        seen.completion = completion
        io.stdout:write(vim.json.encode(seen) .. '\\n')
        io.stdout:flush()
      end)
    end)
  end,
})
`;

/** Whether there is a process of this id. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('docs/policy-ci.md, while writing', () => {
  it.skipIf(!hasPart('neovim'))(
    'makes Neovim show what is wrong, what a field means and what may stand there, and goes with it',
    async () => {
      write('home/init.lua', block('lua neovim'));
      write('home/session.lua', session);
      const args = ['--clean', '--headless', '-u', directory.join('home/init.lua')];
      await using neovim = await startProcess(
        requirePart('neovim'),
        [...args, '-c', `luafile ${directory.join('home/session.lua')}`],
        {
          // Not where the repository begins.
          cwd: directory.join('repository/policies/shop'),
          env: {
            PATH: `${directory.join('bin')}:${process.env['PATH']}`,
            HOME: directory.join('home'),
            XDG_STATE_HOME: undefined,
            CITADEL_HOME: directory.join('home'),
            CITADEL_SERVER: undefined,
          },
          // Asked to end it would ask its server to.
          stopSignal: 'SIGKILL',
        },
      );
      const [seen] = await neovim.line(/^\{.*\}$/);
      expect(JSON.parse(seen)).toMatchObject({
        client: 'citadel',
        diagnostics: [
          {
            code: 'method-in-lower-case',
            line: 6,
            column: 36,
            message: expect.stringContaining('write "GET"'),
          },
        ],
        hover: { contents: { value: expect.stringContaining('Holds for 1 workload: `shop/orders`.') } },
        completion: [{ label: 'cluster.local/ns/shop/sa/web' }],
      });
      const server = Number(readFileSync(directory.join('server.pid'), 'utf8'));
      expect(isRunning(server)).toBe(true);
      await neovim.stop();
      try {
        await waitFor(() => !isRunning(server), { what: 'the server of a killed editor to end' });
      } finally {
        if (isRunning(server)) process.kill(server, 'SIGKILL');
      }
    },
  );

  it('makes the YAML server of VS Code judge, complete and explain by the schema', async () => {
    const { 'yaml.schemas': schemas } = z
      .strictObject({ 'yaml.schemas': z.record(z.string(), z.string()) })
      .parse(JSON.parse(block('json vscode')));
    copyFileSync(join(root, 'docs/policy.schema.json'), directory.join('repository/policy.schema.json'));
    const workspace = pathToFileURL(directory.join('repository')).href;
    await using editor = new Editor(['--stdio'], {
      directory: directory.path,
      server: join(root, 'node_modules/.bin/yaml-language-server'),
      uri: `${workspace}/policies/shop/draft.yaml`,
    });
    // No schema is looked for elsewhere.
    const settings = {
      yaml: { schemas, schemaStore: { enable: false }, completion: true, hover: true, validate: true },
    };
    await editor.start(draft.replace('rules', 'rule').replace('spec:', 'spec:\n  action: PERMIT'), {
      workspace,
      settings,
    });
    const said = await waitFor(
      () => {
        const found = editor.diagnostics()?.diagnostics.map(({ message }) => message);
        return found && found.length > 0 ? found : undefined;
      },
      { what: 'something to be wrong' },
    );
    expect(said).toEqual([
      expect.stringMatching(/^Value is not accepted. Valid values: "ALLOW", "DENY", "AUDIT", "CUSTOM"/),
      'Property rule is not allowed.',
    ]);
    editor.change(draft);
    await editor.diagnosed([]);
    expect(await editor.at('hover', 4, 4)).toMatchObject({
      contents: { value: expect.stringContaining('workloads') },
    });
    editor.change(`${draft}  a`);
    expect(await editor.at('completion', 8, 3)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ label: 'action' })]),
    });
    // Its tests, too, and files that the setting does not mean are left alone.
    editor.change(draft.replace('AuthorizationPolicy', 'PolicyTest'));
    await waitFor(
      () => editor.diagnostics()?.diagnostics.some(({ message }) => message.includes('"cases"')),
      { what: 'what a test needs' },
    );
    expect(await editor.end()).toBe(0);
  });
});
