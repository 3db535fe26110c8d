import { formatYaml, type JsonSchema, parseYaml, printYaml } from '../../yaml/index.ts';
import { isPolicyKind, type PolicyProblem, policyJsonSchema } from './read/index.ts';

/** A text written anew, or why it cannot be: what is not YAML is left as it is. */
export type Formatting =
  | { readonly text: string; readonly problems: readonly [] }
  | { readonly text: undefined; readonly problems: readonly PolicyProblem[] };

/**
 * Gives a text of policies the one form that `policy fmt` knows: keys in the order of the reference, labels and
 * annotations by name, comments where they were. What the policies say stays the same, also where it is broken.
 */
export function formatPolicies(text: string, source: string): Formatting {
  const problems = parseYaml(text).flatMap((document) => document.problems);
  if (problems.length > 0)
    return { text: undefined, problems: problems.map((problem) => ({ source, path: '', ...problem })) };
  return { text: formatYaml(text, shapeOf), problems: [] };
}

/** One object, as it was read from text or as the Kubernetes API gave it, in that form. */
export function formatPolicyObject(value: unknown): string {
  return printYaml(value, shapeOf);
}

function shapeOf(value: unknown): JsonSchema | undefined {
  const kind: unknown =
    typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  return isPolicyKind(kind) ? policyJsonSchema(kind) : undefined;
}
