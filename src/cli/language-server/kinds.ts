import { CompletionItemKind } from 'vscode-languageserver/node';
import type { Completion } from '../../domain/policy/index.ts';

/** As editors draw them. */
export const completionKinds: Readonly<Record<Completion['kind'], CompletionItemKind>> = {
  field: CompletionItemKind.Property,
  value: CompletionItemKind.EnumMember,
  name: CompletionItemKind.Reference,
};
