import { compareText } from '../../../kernel/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import type { SuggestedOperation } from './model.ts';
import { generalise } from './templates.ts';

export interface OperationOptions {
  readonly variety: number;
  /** Whether ports are named: where there is one alone it says nothing. */
  readonly namePorts: boolean;
  readonly isTcp: (port: number) => boolean;
}

/**
 * What one caller did, as operations of a rule: paths under which the same methods were called stand together, so that no
 * method is let in where it was not seen.
 */
export function operationsOf(
  records: readonly DecisionRecord[],
  { variety, namePorts, isTcp }: OperationOptions,
): readonly SuggestedOperation[] {
  const ports = [...new Set(records.map(({ port }) => port))].toSorted((a, b) => a - b);
  return ports.flatMap((port): readonly SuggestedOperation[] => {
    const named = namePorts ? port : undefined;
    if (isTcp(port)) return [{ port: named, methods: [], paths: [] }];
    const own = records.filter((record) => record.port === port);
    return byMethods(own, variety).map((operation) => ({ port: named, ...operation }));
  });
}

/** Each method's paths are generalised by themselves; what comes out alike stands together. */
function byMethods(
  records: readonly DecisionRecord[],
  variety: number,
): readonly Omit<SuggestedOperation, 'port'>[] {
  const methodsOf = new Map<string, string[]>();
  const methods = [...new Set(records.map(({ method = '' }) => method))].toSorted(compareText);
  for (const method of methods) {
    const paths = records.filter((record) => record.method === method).map(({ path = '' }) => path);
    for (const { pattern } of generalise(paths, variety))
      methodsOf.set(pattern, [...(methodsOf.get(pattern) ?? []), method]);
  }
  const pathsOf = new Map<
    string,
    { readonly methods: readonly string[]; readonly paths: readonly string[] }
  >();
  for (const [pattern, own] of methodsOf) {
    const known = pathsOf.get(own.join()) ?? { methods: own, paths: [] };
    pathsOf.set(own.join(), { methods: own, paths: [...known.paths, pattern].toSorted(compareText) });
  }
  return [...pathsOf.values()].toSorted((a, b) => compareText(a.methods.join(), b.methods.join()));
}
