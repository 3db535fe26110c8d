import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import { keymap } from '@codemirror/view';
import { fieldOf } from './yaml-field.ts';

/** What there is in the mesh. */
export interface KnownNames {
  readonly namespaces: readonly string[];
  /** `NAMESPACE/SERVICEACCOUNT`. */
  readonly serviceAccounts: readonly string[];
  readonly trustDomain: string;
}

const actions = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'];
const kinds = ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'];
const modes = ['STRICT', 'PERMISSIVE', 'DISABLE'];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Completes the values of fields by what exists: namespaces, service accounts, principals. */
export function completePolicy(names: () => KnownNames): Extension {
  const source = (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w./@-]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const { doc } = context.state;
    const line = doc.lineAt(word.from);
    const before = line.text.slice(0, word.from - line.from);
    const options = optionsFor(
      fieldOf(before, line.number, (number) => doc.line(number).text),
      names(),
    );
    return options.length === 0 ? null : { from: word.from, options, validFor: /^[\w./@-]*$/ };
  };
  return [autocompletion({ override: [source], icons: false }), keymap.of(completionKeymap)];
}

function optionsFor(field: string | undefined, known: KnownNames): readonly Completion[] {
  const of = (labels: readonly string[], type: string) => labels.map((label) => ({ label, type }));
  switch (field ?? '') {
    case 'namespace':
    case 'namespaces':
    case 'notNamespaces':
      return of(known.namespaces, 'namespace');
    case 'serviceAccounts':
    case 'notServiceAccounts':
      return of(known.serviceAccounts, 'variable');
    case 'principals':
    case 'notPrincipals':
      return of(
        known.serviceAccounts.map((each) => principalOf(each, known.trustDomain)),
        'variable',
      );
    case 'action':
      return of(actions, 'keyword');
    case 'mode':
      return of(modes, 'keyword');
    case 'kind':
      return of(kinds, 'class');
    case 'methods':
    case 'notMethods':
      return of(methods, 'keyword');
    default:
      return [];
  }
}

function principalOf(serviceAccount: string, trustDomain: string): string {
  const [namespace = '', name = ''] = serviceAccount.split('/');
  return `${trustDomain}/ns/${namespace}/sa/${name}`;
}
