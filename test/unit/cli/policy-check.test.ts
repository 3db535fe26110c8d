import { describe, expect, it } from 'vitest';
import { checkExitCode, findingKinds } from '../../../src/cli/policy-check/exit-code.ts';
import type { Findings } from '../../../src/cli/policy-check/gather.ts';
import { checkMarkdown, checkText } from '../../../src/cli/policy-check/render.ts';
import { compareWorlds } from '../../../src/domain/policy/index.ts';
import { mesh, policy, workload } from '../domain/policy/mesh.ts';

const orders = workload('shop/orders');
const allow = (methods: readonly string[]) =>
  policy('shop/a', { rules: [{ to: [{ operation: { methods } }] }] });
const methodsOf = (...methods: readonly string[]) => [{ operation: { methods } }];
const audit = (rules: readonly object[]) => ({ action: 'AUDIT', rules });
const before = mesh([orders], [allow(['GET'])]);

const nothing: Findings = {
  problems: [],
  warnings: [],
  tests: { cases: [], coverage: [], problems: [], locate: () => undefined },
  comparison: undefined,
  isWorldKnown: true,
};
const broken: Findings = {
  ...nothing,
  problems: [{ source: 'a.yaml', line: 3, column: 5, path: 'spec', message: 'is odd' }],
};
const failing: Findings = {
  ...nothing,
  tests: {
    ...nothing.tests,
    cases: [
      { test: 't', name: 'passes', source: 'a.yaml', line: 1, calls: 1, failures: [] },
      {
        test: 't',
        name: '`x` | @somebody',
        source: 'a.yaml',
        line: 7,
        calls: 1,
        failures: ['GET / is denied'],
      },
    ],
  },
};
const compared = (...args: Parameters<typeof compareWorlds>): Findings => ({
  ...nothing,
  comparison: { ...compareWorlds(...args), removals: [], notes: [] },
});
const wide = { ...before, policies: [allow(['GET', 'PUT'])] };
const wider = compared(before, wide);
const narrower = compared(wide, before);
const both = compared(before, { ...before, policies: [allow(['PUT'])] });
const same = compared(before, { ...before, policies: [allow(['GET', 'GET'])] });
const untold = compared(before, wide, { steps: 1, stepsOfGroup: 1 });
const warned: Findings = {
  ...nothing,
  warnings: [
    {
      rule: 'covered-rule',
      object: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a' },
      source: 'a.yaml',
      line: 2,
      path: 'spec',
      message: 'is covered',
      mend: 'leave it out',
    },
  ],
};

describe('checkExitCode', () => {
  it.each<[string, Findings, number]>([
    ['nothing', nothing, 0],
    ['the same', same, 0],
    ['a broken file', broken, 2],
    ['a failing test', failing, 3],
    ['calls that become allowed', wider, 4],
    ['calls that become denied', narrower, 5],
    ['calls that become both', both, 4],
    ['what cannot be told', untold, 6],
    ['warnings', warned, 1],
    ['a broken file beside a failing test', { ...failing, problems: broken.problems }, 2],
    ['a failing test beside what cannot be told', { ...untold, tests: failing.tests }, 3],
    ['a failing test beside a difference', { ...wider, tests: failing.tests }, 3],
    ['a difference beside warnings', { ...narrower, warnings: warned.warnings }, 5],
  ])('tells of %s', (_, findings, expected) => {
    expect(checkExitCode(findings, findingKinds)).toBe(expected);
    // Of one kind alone where that is asked for.
    expect(checkExitCode(findings, [])).toBe(0);
  });

  it('tells of those kinds alone that are asked for', () => {
    expect(checkExitCode({ ...wider, warnings: warned.warnings }, ['warnings', 'problems'])).toBe(1);
    expect(checkExitCode(both, ['denied'])).toBe(5);
  });
});

describe('what is told of a check', () => {
  it('names for each difference a call, and what decides it before and after', () => {
    const text = checkText(wider);
    expect(text).toMatch(/^Becomes allowed \(1\):\n {2}method PUT, to test\/shop\/orders, port 8080\n/);
    expect(text).toMatch(/\n {6}such as: citadel policy explain .*--method PUT/);
    expect(text).toMatch(/\n {6}before: denied.*\n {6}after: allowed.*shop\/a/);
    expect(checkText(same)).toBe('no tests; proven: every call is decided as before (1 kinds of ports).\n');
    expect(checkText({ ...same, isWorldKnown: false })).toContain('it is not known who is there');
    expect(checkText(untold)).toContain('Cannot be told (1):');
  });

  it('names what is marked otherwise, by what, and what is asked of tokens that nobody reads', () => {
    const rules = [{ when: [{ key: 'request.auth.claims[g]', values: ['x'] }] }, { to: methodsOf('PUT') }];
    const audited = { ...before, policies: [allow(['GET', 'PUT']), policy('shop/b', audit(rules))] };
    const found = compared({ ...before, policies: [allow(['GET', 'PUT'])] }, audited);
    expect(checkExitCode(found, findingKinds)).toBe(0);
    const text = checkText(found);
    expect(text).toMatch(
      /^Marked otherwise, which decides nothing \(1\):\n {2}becomes audited: method PUT, to test\/shop\/orders, port 8080\n {6}after: audited by rule 1 of shop\/b\n {6}such as: citadel policy explain .*--method PUT/,
    );
    expect(text).toMatch(
      /\nTokens asked for in vain \(1\):\n {2}No RequestAuthentication holds for .*AuthorizationPolicy\/shop\/b/,
    );
    const markdown = checkMarkdown(found);
    expect(markdown).toContain('| Marked otherwise, which decides nothing | **1** |');
    expect(markdown).toContain('- `becomes audited: method PUT, to test/shop/orders, port 8080`');
    expect(markdown).toContain('#### Tokens asked for in vain');
    const dryRun = { ...policy('shop/b', { action: 'DENY', rules }), dryRun: true };
    const dry = compared({ ...before, policies: [dryRun] }, { ...before, policies: [] });
    expect(checkText(dry)).toContain('a dry run no longer matches: method PUT');
  });

  it('says of an audit that goes that nothing is decided otherwise, and what is no longer audited', () => {
    const goes = policy('shop/b', audit([{ to: methodsOf('PUT') }]));
    const is = { ...before, policies: [allow(['GET', 'PUT'])] };
    const was = { ...is, policies: [...is.policies, goes] };
    const { comparison, ...rest } = compared(was, is);
    const removals = [{ policy: goes, effect: compareWorlds(was, is) }];
    const text = checkText({ ...rest, comparison: comparison && { ...comparison, removals } });
    expect(text).toMatch(
      /without it nothing is decided otherwise: proven\n {6}without it no longer audited, which decides nothing: method PUT, to/,
    );
  });

  it('is Markdown in which text of others stays text', () => {
    expect(checkMarkdown({ ...failing, warnings: warned.warnings })).toBe(`### Policy check

| | |
| --- | ---: |
| Broken | – |
| Failing tests | **1** |
| Warnings | **1** |

1 of 2 test cases pass, 100% of what their policies say is exercised; compared with nothing.

#### Failing tests

- \`\` a.yaml:7: t: \`x\` | @somebody \`\`
  - \`GET / is denied\`

#### Warnings

- \`a.yaml:2:1: AuthorizationPolicy/shop/a: spec: is covered; leave it out [covered-rule]\`
`);
  });

  it('tells of many findings some', () => {
    const many = { ...broken, problems: Array.from({ length: 23 }, () => broken.problems).flat() };
    expect(checkMarkdown(many)).toContain('- and 3 more\n');
    expect(checkMarkdown(many).match(/is odd/g)).toHaveLength(20);
  });
});
