import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkArchitecture, moduleReferences, rules } from '../architecture/index.ts';

const root = join(import.meta.dirname, '../..');

function sourcesOf(...folders: string[]): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(root, folder, file),
    ),
  );
  const paths = files.map((file) => [relative(root, file).split(sep).join('/'), file] as const);
  const chosen = paths.filter(([path]) => path.endsWith('.ts') && !path.startsWith('src/gen/'));
  return new Map(chosen.map(([path, file]) => [path, readFileSync(file, 'utf8')]));
}

describe('the architecture', () => {
  const sources = sourcesOf('src', 'spiffe/src');

  it('is kept by every source file', () => {
    expect(sources.size).toBeGreaterThan(50);
    // As one text, so that a failure names each violation.
    expect(
      checkArchitecture(sources, rules)
        .map(({ at, reason }) => `${at} ${reason}`)
        .join('\n'),
    ).toBe('');
  });

  it('has no exception that is not needed', () => {
    const libraries = new Set(
      [...sources.values()].flatMap(moduleReferences).map(({ specifier }) => specifier),
    );
    const unused = Object.keys(rules.shared).filter((library) => !libraries.has(library));
    expect(unused).toEqual([]);
  });
});

describe('checkArchitecture', () => {
  const sound: Record<string, string> = {
    'spiffe/src/index.ts': "export * from './id.ts';",
    'spiffe/src/id.ts': "import { isIP } from 'node:net';",
    'src/kernel/index.ts': "export * from './clock.ts';",
    'src/kernel/clock.ts': '',
    'src/pki/index.ts': "export { a } from './der/index.ts';",
    'src/pki/pem.ts': '',
    'src/pki/der/index.ts': "import '../pem.ts';\nexport * from './reader.ts';",
    'src/pki/der/reader.ts': "import 'reflect-metadata';\nimport '@citadel/spiffe';",
    'src/domain/ports/index.ts': "import type { Clock } from '../../kernel/index.ts';",
    'src/domain/trust/index.ts': "import '../ports/index.ts';",
    'src/domain/trust/snapshot.ts': "import '../open/a.ts';",
    'src/domain/open/a.ts': '',
    'src/adapters/store/sqlite/index.ts': "import '../../../domain/ports/index.ts';\nimport 'drizzle-orm';",
    'src/adapters/store/postgres/index.ts': "import 'drizzle-orm/pg-core';",
    'src/api/index.ts': "import '@grpc/grpc-js';\nimport '../gen/citadel/v1/agent.ts';",
    'src/agent/index.ts': "import '@grpc/grpc-js';\nimport '../pki/light.ts';",
    'src/pki/light.ts': '',
    'src/app/index.ts': "import '../api/index.ts';\nimport '../adapters/store/sqlite/index.ts';",
    'src/cli/main.ts': "const app = await import('../app/index.ts');",
  };
  const check = (planted: Record<string, string> = {}) =>
    checkArchitecture(new Map(Object.entries({ ...sound, ...planted })), rules);

  it('accepts sound sources', () => {
    expect(check()).toEqual([]);
  });

  it.each([
    ['kernel looks up', 'src/kernel/x.ts', "import '../pki/index.ts';", 'kernel must not import pki'],
    [
      'kernel and spiffe are apart',
      'src/kernel/x.ts',
      "import '@citadel/spiffe';",
      'kernel must not import spiffe',
    ],
    ['pki looks up', 'src/pki/x.ts', "import '../domain/ports/index.ts';", 'pki must not import domain'],
    [
      'domain knows an adapter',
      'src/domain/trust/x.ts',
      "import '../../adapters/store/sqlite/index.ts';",
      'domain must not import adapters',
    ],
    [
      'domain knows the wire',
      'src/domain/trust/x.ts',
      "import '../../gen/a.ts';",
      'domain must not import gen',
    ],
    [
      'api meets an adapter',
      'src/api/x.ts',
      "export { store } from '../adapters/store/sqlite/index.ts';",
      'api must not import adapters',
    ],
    [
      'an adapter meets api',
      'src/adapters/store/x.ts',
      "import '../../api/index.ts';",
      'adapters must not import api',
    ],
    [
      'the agent meets api',
      'src/agent/x.ts',
      "import type { X } from '../api/index.ts';",
      'agent must not import api',
    ],
    [
      'the agent meets an adapter',
      'src/agent/x.ts',
      "type X = import('../adapters/store/sqlite/index.ts').X;",
      'agent must not import adapters',
    ],
    ['app looks up', 'src/app/x.ts', "await import('../cli/main.ts');", 'app must not import cli'],
    [
      'a folder is entered past its door',
      'src/domain/authority/x.ts',
      "import {\n  a,\n} from\n  '../trust/snapshot.ts';",
      'imports src/domain/trust/snapshot.ts past its door, src/domain/trust/index.ts',
    ],
    [
      'a layer is entered past its door',
      'src/api/x.ts',
      "import '../pki/der/index.ts';",
      'imports src/pki/der/index.ts past its door, src/pki/index.ts',
    ],
    [
      'a layer is entered where it has no door',
      'src/api/x.ts',
      "import '../domain/open/a.ts';",
      'imports src/domain/open/a.ts past its door, src/domain/index.ts or src/domain/open/index.ts',
    ],
    [
      'spiffe is entered by its files',
      'src/pki/x.ts',
      "import '../../spiffe/src/id.ts';",
      'imports spiffe/src/id.ts, which lies outside src',
    ],
    [
      'spiffe is entered past its door',
      'src/pki/x.ts',
      "import '@citadel/spiffe/id';",
      'imports @citadel/spiffe/id; the package has one door, @citadel/spiffe',
    ],
    [
      'spiffe depends on src',
      'spiffe/src/x.ts',
      "import '../../src/kernel/index.ts';",
      'imports src/kernel/index.ts, which lies outside spiffe/src',
    ],
    [
      'a file is missing',
      'src/pki/x.ts',
      "import './none.ts';",
      'imports src/pki/none.ts, which does not exist',
    ],
    ['a folder is unknown', 'src/util/x.ts', '', 'util is no known layer'],
    [
      'a name is computed',
      'src/pki/x.ts',
      'await import(name);',
      'imports a computed name, which no rule can check',
    ],
    [
      'a library has two homes',
      'src/domain/trust/x.ts',
      "import 'drizzle-orm';",
      'imports drizzle-orm, which belongs to src/adapters/store',
    ],
    [
      'a shared library is imported elsewhere',
      'src/domain/trust/x.ts',
      "import '@grpc/grpc-js';",
      'imports @grpc/grpc-js, which belongs to src/api, src/agent, src/cli',
    ],
  ])('finds that %s', (_what, path, text, reason) => {
    expect(check({ [path]: text })).toEqual([{ at: expect.stringMatching(`^${path}(:\\d+)?$`), reason }]);
  });
});

describe('moduleReferences', () => {
  const namesIn = (source: string) => moduleReferences(source).map(({ specifier }) => specifier);

  it('reads every form, over several lines too', () => {
    const source = `
      import 'a'; import b from "b"
      import * as c from 'c'
      import type { D,
        E as F } from 'd' with { type: 'json' };
      import g, { type h } from 'g';
      export * from 'i'; export * as j from 'j';
      export { k, type l } from 'k';
      export type { M } from 'm';
      const n = await import('n'), o = import(\`o\`);
      type P = import('p').P;
      const q = require('q');`;
    expect(namesIn(source)).toEqual(['a', 'b', 'c', 'd', 'g', 'i', 'j', 'k', 'm', 'n', 'o', 'p', 'q']);
  });

  it('gives the line', () => {
    const source = "/* one\n two */ const s = `a\n${b}\n`;\nimport {\n  x } from 'x';";
    expect(moduleReferences(source)).toEqual([{ specifier: 'x', line: 5 }]);
  });

  it('is not deceived by comments, strings, templates and regular expressions', () => {
    const source = `
      // import 'a'
      /* import 'b' */
      const text = "import 'c'", other = 'export * from "d"';
      const template = \`import 'e' \${ call("it's", { f: \`\${'import'}\` }) } from 'g'\`;
      const pattern = /import 'h'["'\`/]\\//g, half = total / 2 / count;
      keys.import('i'); import.meta.url; const o = { import: 'j', from: 'k' };
      interface Keys { import(key: string): void }
      export const from = 'l'; export { from };
      import 'm';`;
    expect(namesIn(source)).toEqual(['m']);
  });

  it('throws where it cannot read on', () => {
    expect(() => moduleReferences("const a = 'unfinished\nimport 'b';")).toThrow(
      'line 1: a string without an end',
    );
    expect(() => moduleReferences('const a = `unfinished')).toThrow('a template literal without an end');
  });
});
