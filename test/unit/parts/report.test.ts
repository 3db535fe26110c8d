import { describe, expect, it } from 'vitest';
import { addUp, outcomeOfReport } from '../../../scripts/parts/report.ts';

const report = (...testResults: object[]) => JSON.stringify({ testResults });
const file = (name: string, status: string, assertionResults: object[], message = '') => ({
  name: `/repo/test/${name}`,
  status,
  message,
  assertionResults,
});

describe('outcomeOfReport', () => {
  it('counts cases and names what failed and what was skipped', () => {
    const json = report(
      file('a.test.ts', 'failed', [
        { fullName: 'one', status: 'passed', failureMessages: [] },
        { fullName: 'two', status: 'failed', failureMessages: ['expected 1 to be 2'] },
        { fullName: 'three', status: 'skipped', failureMessages: [] },
        { fullName: 'four', status: 'todo' },
      ]),
    );
    expect(outcomeOfReport('unit', json, false, '/repo')).toEqual({
      passed: 1,
      failures: [{ name: 'test/a.test.ts > two', message: 'expected 1 to be 2' }],
      skipped: ['test/a.test.ts > three', 'test/a.test.ts > four'],
    });
  });

  it('counts a file that did not load as a failed case', () => {
    const json = report(file('b.test.ts', 'failed', [], 'SyntaxError: no'));
    expect(outcomeOfReport('unit', json, false, '/repo').failures).toEqual([
      { name: 'test/b.test.ts', message: 'SyntaxError: no' },
    ]);
  });

  it('counts a file whose hook failed after its cases', () => {
    const cases = [{ fullName: 'one', status: 'passed', failureMessages: [] }];
    const json = report(file('c.test.ts', 'failed', cases, 'afterAll: refused'));
    expect(outcomeOfReport('unit', json, false, '/repo')).toMatchObject({
      passed: 1,
      failures: [{ name: 'test/c.test.ts', message: 'afterAll: refused' }],
    });
  });

  it('counts a run that failed outside its tests, or wrote no report', () => {
    const cases = [{ fullName: 'one', status: 'passed', failureMessages: [] }];
    const json = report(file('d.test.ts', 'passed', cases));
    expect(outcomeOfReport('unit', json, false, '/repo').failures).toHaveLength(1);
    expect(outcomeOfReport('unit', json, true, '/repo').failures).toHaveLength(0);
    expect(outcomeOfReport('unit', undefined, true, '/repo').failures).toHaveLength(1);
  });
});

describe('addUp', () => {
  it('adds up', () => {
    const failure = { name: 'x', message: '' };
    const one = { passed: 2, failures: [failure], skipped: ['s'] };
    expect(addUp([one, { passed: 3, failures: [], skipped: [] }])).toEqual({ ...one, passed: 5 });
  });
});
