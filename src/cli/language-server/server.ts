import {
  type Connection,
  createConnection,
  DiagnosticSeverity,
  type InitializeResult,
  MarkupKind,
  type Position,
  ProposedFeatures,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { completionsAt, type Diagnostic, diagnosticsOf, hoverAt } from '../../domain/policy/index.ts';
import { describeError } from '../../kernel/index.ts';
import type { YamlPlace } from '../../yaml/index.ts';
import { completionKinds } from './kinds.ts';
import type { WorldSource } from './world-source.ts';

/** Milliseconds without another letter before a text is judged. */
const quiet = 150;

/** Speaks the Language Server Protocol on standard input and output until its editor ends it. */
export function serveLanguage(worlds: WorldSource): void {
  const connection = createConnection(
    ProposedFeatures.all,
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const documents = new TextDocuments(TextDocument);
  const judge = judging(connection, documents, worlds);

  connection.onInitialize(
    (): InitializeResult => ({
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        hoverProvider: true,
        completionProvider: { triggerCharacters: [' ', '"', '/', '.', '[', '-', ':'] },
      },
      serverInfo: { name: 'citadel' },
    }),
  );
  connection.onHover(({ textDocument, position }) => {
    const text = documents.get(textDocument.uri)?.getText();
    const hover = text === undefined ? undefined : hoverAt(text, placeOf(position), worlds.current());
    return hover
      ? { contents: { kind: MarkupKind.Markdown, value: hover.text }, range: rangeOf(hover) }
      : null;
  });
  connection.onCompletion(({ textDocument, position }) => {
    const text = documents.get(textDocument.uri)?.getText();
    if (text === undefined) return [];
    return completionsAt(text, placeOf(position), worlds.current()).map(
      ({ kind, label, text: newText, help, ...at }) => ({
        label,
        kind: completionKinds[kind],
        // What it is found by: the whole of what stands there, slashes and dots too.
        filterText: newText,
        textEdit: { range: rangeOf(at), newText },
        ...(help === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: help } }),
      }),
    );
  });
  documents.onDidChangeContent(({ document }) => judge.later(document.uri));
  documents.onDidClose(({ document }) => judge.forget(document.uri));
  worlds.start({
    changed: () => {
      for (const uri of documents.keys()) judge.later(uri);
    },
    failed: (error) => connection.console.warn(`what is there is not known: ${describeError(error)}`),
  });
  documents.onDidSave(() => worlds.refresh());
  documents.listen(connection);
  connection.listen();
}

interface Judging {
  later(uri: string): void;
  forget(uri: string): void;
}

function judging(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  worlds: WorldSource,
): Judging {
  const waiting = new Map<string, NodeJS.Timeout>();
  const send = (uri: string, diagnostics: readonly Diagnostic[], version?: number) => {
    connection
      .sendDiagnostics({
        uri,
        ...(version === undefined ? {} : { version }),
        diagnostics: diagnostics.map(({ severity, rule, message, ...at }) => ({
          range: rangeOf(at),
          severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
          source: 'citadel',
          message,
          ...(rule === undefined ? {} : { code: rule }),
        })),
      })
      // The editor has gone.
      .catch(() => undefined);
  };
  return {
    later(uri) {
      clearTimeout(waiting.get(uri));
      waiting.set(
        uri,
        setTimeout(() => {
          waiting.delete(uri);
          const document = documents.get(uri);
          if (document) send(uri, diagnosticsOf(document.getText(), uri, worlds.current()), document.version);
        }, quiet),
      );
    },
    forget(uri) {
      clearTimeout(waiting.get(uri));
      waiting.delete(uri);
      send(uri, []);
    },
  };
}

/** The protocol counts from 0, in the units of JavaScript's strings. */
function placeOf({ line, character }: Position): YamlPlace {
  return { line: line + 1, column: character + 1 };
}

function rangeOf({ start, end }: { readonly start: YamlPlace; readonly end: YamlPlace }) {
  const position = ({ line, column }: YamlPlace) => ({ line: line - 1, character: column - 1 });
  return { start: position(start), end: position(end) };
}
