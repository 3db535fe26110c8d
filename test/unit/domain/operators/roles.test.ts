import { describe, expect, it } from 'vitest';
import { meets, methodRequirements } from '../../../../src/domain/operators/index.ts';
import { OperatorServiceService } from '../../../../src/gen/citadel/v1/operator.ts';

describe('meets', () => {
  it.each([
    ['viewer', 'viewer', true],
    ['viewer', 'author', false],
    ['viewer', 'operator', false],
    ['author', 'viewer', true],
    ['author', 'author', true],
    ['author', 'operator', false],
    ['operator', 'viewer', true],
    ['operator', 'author', true],
    ['operator', 'operator', true],
    [undefined, 'viewer', false],
    [undefined, 'operator', false],
    [undefined, 'authenticated', true],
  ] as const)('%s for %s: %s', (role, requirement, expected) => {
    expect(meets(role, requirement)).toBe(expected);
  });
});

describe('methodRequirements', () => {
  it('has a line for every method of the API but enrolment, which decides for itself', () => {
    const methods = Object.keys(OperatorServiceService).filter((name) => name !== 'enrolOperator');
    expect(Object.keys(methodRequirements).sort()).toEqual(methods.sort());
  });

  it('asks an operator for what changes roles', () => {
    expect(methodRequirements.grantRole).toBe('operator');
    expect(methodRequirements.revokeRole).toBe('operator');
  });
});
