import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import type { TemporaryDirectory } from '../../parts/index.ts';
import { away, call, registry, runPolicy, wrongFiles } from './policy-wrong-inputs.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await wrongFiles();
});
afterAll(() => directory[Symbol.asyncDispose]());
const run = (line: string | readonly string[]) => runPolicy(line, directory);

const usage = 64;
const notFound = 66;
const unavailable = 69;
const broken = 2;
const explain = `explain ${call}`;
const otherCallee = (to: string) => `explain --from shop/web --to ${to} ${registry}`;
const otherCaller = (from: string) => [
  'explain',
  '--from',
  from,
  '--to',
  'shop/orders',
  ...registry.split(' '),
];
const withOption = (...words: readonly string[]) => [...explain.split(' '), ...words];

const rows: readonly (readonly [line: string | readonly string[], code: number, told: RegExp])[] = [
  // Who calls, and whom.
  ['explain', usage, /say who calls whom: --from and --to, or --denial/],
  [`explain --from shop/web ${away}`, usage, /say who calls whom/],
  [otherCallee('shop/none'), notFound, /no workload and no service shop\/none; there is shop\/orders/],
  [`who --to shop/none ${registry}`, notFound, /there is shop\/orders$/m],
  [
    `suggest --to shop/none ${registry} --records @empty.yaml`,
    notFound,
    /there is no workload or service shop\/none/,
  ],
  ['who --to shop/orders --registry @nobody', notFound, /there is nobody at all: no workload is registered/],
  ...[':0', ':65536', ':1e3', ':-1', ':', ':http'].map(
    (port) =>
      [
        otherCallee(`shop/orders${port}`),
        usage,
        /"shop\/orders:\S*" names no callee; .*port from 1 to 65535/,
      ] as const,
  ),
  [`who --to shop/orders:0 ${registry}`, usage, /names no callee/],
  [otherCallee('shop/orders:81'), notFound, /shop\/orders has no port 81; it has 8080/],
  [otherCaller(''), usage, /"" names no caller; write a SPIFFE ID, NAMESPACE\/SERVICE-ACCOUNT/],
  [otherCaller('web'), usage, /"web" names no caller/],
  [otherCaller('spiffe://'), usage, /spiffe:\/\/ is no SPIFFE ID: the trust domain is empty/],
  [otherCaller('spiffe://Bad!/x'), usage, /is no SPIFFE ID: the trust domain must be lower case/],
  [`what --from spiffe://a/b/../c ${registry}`, usage, /is no SPIFFE ID: the path must not have a/],
  // How.
  ...['--ip', '--remote-ip', '--destination-ip'].flatMap((option) =>
    ['1.2.3', '10.0.0.0/8', '::g', 'fe80::1%eth0', ''].map(
      (address) =>
        [withOption(option, address), usage, /is no IP address; write one, as 10\.1\.2\.3/] as const,
    ),
  ),
  [withOption('--header', 'x'), usage, /'x' is invalid\. write it as x-client=v2/],
  [withOption('--header', 'x y=z'), usage, /"x y" can be no name of a header/],
  [withOption('--header', ':path=/x'), usage, /say method, path and host by themselves/],
  [withOption('--header', 'a=b\nc'), usage, /the header a holds the end of a line/],
  [withOption('--without-header', ''), usage, /"" can be no name of a header/],
  [withOption('--method', 'GE T'), usage, /"GE T" can be no HTTP method/],
  [withOption('--method', ''), usage, /"" can be no HTTP method/],
  [withOption('--host', 'a b'), usage, /"a b" can be no name of a host/],
  [withOption('--sni', 'a\nb'), usage, /can be no name of a host/],
  [withOption('--jwt', '{'), broken, /the token is neither a JWT nor a JSON object of claims/],
  [withOption('--jwt', '@text.yaml'), broken, /the token is neither a JWT nor/],
  [withOption('--jwt', '@none'), broken, /the token \S+ does not exist/],
  [withOption('--custom', 'x=maybe'), usage, /an authorizer says allow or deny/],
  [withOption('--custom', 'x=deny'), usage, /there is no authorizer x; there is none/],
  [withOption('--transport', 'tls'), usage, /Allowed choices are plaintext, mtls/],
  [withOption('--expect', 'yes'), usage, /Allowed choices are allowed, denied/],
  [withOption('--remove', 'x'), usage, /x names no policy; write it as AuthorizationPolicy\/shop\/orders/],
  [
    withOption('--remove', 'AuthorizationPolicy/shop/none'),
    notFound,
    /does not hold: citadel policy status names/,
  ],
  // The world.
  [withOption('--trust-domain', 'BAD!'), usage, /the trust domain must be lower case/],
  [withOption('--trust-domain-alias', 'BAD!'), usage, /the trust domain must be lower case/],
  [withOption('--root-namespace', 'BAD!'), usage, /must be a name of lower-case letters/],
  [withOption('--world', '@none'), usage, /cannot be used with option '--registry <directory>'/],
  ['who --to shop/orders --registry @none', broken, /the registry \S+none does not exist/],
  ['who --to shop/orders --registry @good.yaml', broken, /the registry \S+good\.yaml is no directory/],
  ['who --to shop/orders --world @none', broken, /the world \S+none does not exist/],
  ['who --to shop/orders --world @nothing', broken, /the world \S+nothing is a directory; name a file/],
  ['who --to shop/orders --world @good.yaml', broken, /is no JSON; citadel policy world writes such a file/],
  // Records.
  ['replay', usage, /say what would hold: --candidate FILE, or --remove POLICY/],
  ...['@none', '@nothing', '@lines.txt', '@binary.yaml'].flatMap((file) =>
    [
      `replay --candidate @good.yaml ${registry} --records ${file}`,
      `suggest --to shop/orders ${registry} --records ${file}`,
      `test --init --to shop/orders ${registry} --records ${file}`,
    ].map(
      (line) =>
        [
          line,
          broken,
          /none does not exist|nothing is a directory; name a file|no line can be read; line 1: /,
        ] as const,
    ),
  ),
  [
    `replay --candidate @good.yaml ${registry} --records /dev/zero`,
    broken,
    /a line of more than 67108864 characters/,
  ],
  ...['yesterday', '-1h', '', '2026-13-01T00:00:00Z'].flatMap((time) =>
    [
      'replay --candidate @good.yaml',
      'suggest --to shop/orders',
      'denials',
      'records',
      'test --init --to a',
    ].map((line) => [[...line.split(' '), '--since', time], usage, /or as a duration ago: 24h/] as const),
  ),
  ['suggest --to shop/orders --min-calls 1e3', usage, /must be a number from 1 to 999999/],
  ['suggest --to shop/orders --name BAD!', usage, /must be a name of lower-case letters/],
  ['suggest --to shop/orders --selector x', usage, /write it as app=orders/],
  ['denials --limit 0', usage, /must be from 1 to 1000/],
  // What is compared, checked and tested.
  ['diff @good.yaml git:', broken, /"" is no name of a git ref/],
  ['diff @good.yaml revision:1e3', usage, /revision:1e3 names no revision; write it as revision:12/],
  [`check @good.yaml ${registry} --fail-on x`, usage, /x is none of problems, tests/],
  ['check @good.yaml --base git:x', usage, /--base says which live policies go; it needs --against live/],
  ['check @good.yaml --all-in BAD! --against live', usage, /"BAD!" is no name of a namespace/],
  [`check @good.yaml ${registry} --markdown @none/x`, broken, /cannot write \S+none\/x/],
  ['test', usage, /name the files with tests, or give --init/],
  ['test --init', usage, /of which callee\? Give --to/],
  ['test @test.yaml --min-coverage 101', usage, /must be from 0 to 100/],
  ['test @test.yaml --tap -o json', usage, /cannot be used with option '-o, --output <format>'/],
  ['test @test.yaml --junit @none/x', broken, /cannot write \S+none\/x/],
  ['test @test.yaml --envoy --envoy-binary @none', broken, /none/],
  ['apply @good.yaml --from-revision -1', usage, /-1 is no revision: citadel policy history names them/],
  ['rollback x', usage, /x is no revision: citadel policy history names them/],
  ['remove x', usage, /x names no policy; write it as/],
  [`show x ${away}`, usage, /x names no policy; write it as/],
  ['lsp --world @none --registry @nobody', usage, /cannot be used with option/],
  // The server.
  ...[
    'explain --from shop/web --to shop/orders',
    'explain --denial x',
    'who --to shop/orders',
    'what --from shop/web',
    'diff @good.yaml live',
    'diff @good.yaml revision:1',
    'check @good.yaml --against live',
    'replay --candidate @good.yaml',
    'suggest --to shop/orders',
    'test --init --to shop/orders',
    'apply @good.yaml --yes',
    'remove AuthorizationPolicy/shop/orders --yes',
    'rollback 1 --yes',
    'history',
    'show',
    'status',
    'denials',
    'records',
    'world',
    'shadow status',
    'shadow promote --yes',
    'shadow revert --yes',
  ].map(
    (line) =>
      [`${line} ${away}`, unavailable, /nobody\.sock cannot be reached .*is the server running/] as const,
  ),
  [
    'status --server 127.0.0.1:1 --ca @roots.pem --token-file @token',
    unavailable,
    /ECONNREFUSED.*is the server running/,
  ],
  ['status --server 127.0.0.1:1', broken, /nothing to trust the server by: name its roots with --ca/],
  ['status --server 127.0.0.1:1 --ca @good.yaml', broken, /the CA file \S+ holds no PEM certificate/],
  [
    'status --server 127.0.0.1:1 --ca @roots.pem --token-file @none',
    broken,
    /the token file \S+ does not exist/,
  ],
  ['status --server 127.0.0.1:0', usage, /is no address; write it as HOST:PORT/],
  ['status --server 127.0.0.1:65536', usage, /is no address; write it as HOST:PORT/],
  [`status --server a:1 ${away}`, usage, /--server and --socket name two servers/],
  ...['0s', '-1s', '99999d', 'x'].map(
    (time) => [`status --timeout ${time}`, usage, /must be more than 0s|write it as 90s/] as const,
  ),
  // What no command has.
  ['nope', usage, /unknown command 'nope'/],
  ['shadow nope', usage, /unknown command 'nope'/],
];

describe('what no command can do', () => {
  it.for(rows)('is told, and by what to do: %s', async ([line, code, told]) => {
    const said = await run(line);
    expect(said).toEqual({ code, stdout: '', stderr: expect.stringMatching(told) });
    expect(said.stderr).not.toMatch(/internal error|\n\s+at /);
    expect(said.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is a wrong option or form of any command', async () => {
    const policies = (await createProgram(['policy'])).commands.find((each) => each.name() === 'policy');
    const all =
      policies?.commands.flatMap((each) => (each.commands.length > 0 ? each.commands : [each])) ?? [];
    expect(all.length).toBeGreaterThan(20);
    for (const each of all) {
      const words = [...(each.parent === policies ? [] : [each.parent?.name() ?? '']), each.name()];
      const wrong = await run([...words, '--nope']);
      expect(wrong, words.join(' ')).toMatchObject({
        code: usage,
        stderr: expect.stringMatching(/unknown option '--nope'|required (option|argument)/),
      });
      if (!each.options.some(({ long }) => long === '--output')) continue;
      const form = await run([...words, '-o', 'xml']);
      expect(form, words.join(' ')).toMatchObject({
        code: usage,
        stderr: expect.stringContaining('Allowed choices are table, json, yaml'),
      });
    }
  });
});
