import {
  type CompletionItem,
  type Connection,
  type ConnectionStrategy,
  createConnection,
  DiagnosticSeverity,
  ErrorCodes,
  type Hover,
  type InitializeResult,
  LSPErrorCodes,
  MarkupKind,
  Message,
  type Position,
  ProposedFeatures,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  type Completion,
  completionsAt,
  type Diagnostic,
  diagnosticsOf,
  hoverAt,
} from '../../domain/policy/index.ts';
import type { YamlPlace } from '../../yaml/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { createJudging } from './judging.ts';
import { completionKinds } from './kinds.ts';
import type { WorldSource } from './world-source.ts';

/** Speaks the Language Server Protocol on standard input and output until its editor ends it. */
export function serveLanguage(worlds: WorldSource): void {
  const reader = new StreamMessageReader(process.stdin);
  const writer = new StreamMessageWriter(process.stdout);
  const connection = createConnection(ProposedFeatures.all, reader, writer, { connectionStrategy });
  const documents = new TextDocuments(TextDocument);
  const send = sender(connection);
  const judge = createJudging((uri) => {
    const document = documents.get(uri);
    if (document) send(uri, diagnosticsOf(document.getText(), uri, worlds.current()), document.version);
  });
  let isShutDown = false;
  /** After `shutdown` nothing is answered but `exit`: Language Server Protocol 3.17, shutdown. */
  const answering =
    <P, R>(answer: (params: P) => R) =>
    (params: P): R | ResponseError =>
      isShutDown ? new ResponseError(ErrorCodes.InvalidRequest, 'it was told to shut down') : answer(params);

  reader.onError((error) => {
    if (error instanceof SyntaxError) {
      connection.console.warn(`passed over a message that is no JSON: ${error.message}`);
      return;
    }
    // Where a message has no length nobody knows where the next one begins.
    process.stderr.write(
      `citadel: what arrives is no Language Server Protocol: ${printable(error.message)}\n`,
    );
    process.exit(exitCodes.broken);
  });
  // Editors crash, and are killed: where nobody can say anything more it is as after `exit`.
  const end = () => process.exit(isShutDown ? exitCodes.ok : exitCodes.warning);
  reader.onClose(end);
  // Of input that is a file only its end is told.
  process.stdin.once('end', end);
  connection.onShutdown(() => {
    isShutDown = true;
  });

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
  connection.onHover(
    answering(({ textDocument, position }): Hover | null => {
      const text = documents.get(textDocument.uri)?.getText();
      const hover = text === undefined ? undefined : hoverAt(text, placeOf(position), worlds.current());
      return hover
        ? { contents: { kind: MarkupKind.Markdown, value: hover.text }, range: rangeOf(hover) }
        : null;
    }),
  );
  connection.onCompletion(
    answering(({ textDocument, position }): CompletionItem[] => {
      const text = documents.get(textDocument.uri)?.getText();
      return text === undefined
        ? []
        : completionsAt(text, placeOf(position), worlds.current()).map(completionItem);
    }),
  );
  documents.onDidChangeContent(({ document }) => judge.later(document.uri));
  documents.onDidClose(({ document: { uri } }) => {
    judge.forget(uri);
    send(uri, []);
  });
  worlds.start({
    changed: () => {
      for (const uri of documents.keys()) judge.later(uri);
    },
    told: (message) => connection.console.warn(message),
  });
  documents.onDidSave(() => worlds.refresh());
  documents.listen(connection);
  connection.listen();
}

/** A request that nobody waits for any more is not worked on. */
const connectionStrategy: ConnectionStrategy = {
  cancelUndispatched: (message) =>
    Message.isRequest(message)
      ? {
          jsonrpc: message.jsonrpc,
          id: message.id,
          error: { code: LSPErrorCodes.RequestCancelled, message: 'nobody waits for it any more' },
        }
      : undefined,
};

function completionItem({ kind, label, text, help, ...at }: Completion): CompletionItem {
  return {
    label,
    kind: completionKinds[kind],
    // What it is found by: the whole of what stands there, slashes and dots too.
    filterText: text,
    textEdit: { range: rangeOf(at), newText: text },
    ...(help === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: help } }),
  };
}

/** What is wrong with a text, for its editor. */
function sender(connection: Connection) {
  return (uri: string, diagnostics: readonly Diagnostic[], version?: number): void => {
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
}

/** The protocol counts from 0, in the units of JavaScript's strings. */
function placeOf({ line, character }: Position): YamlPlace {
  return { line: line + 1, column: character + 1 };
}

function rangeOf({ start, end }: { readonly start: YamlPlace; readonly end: YamlPlace }) {
  const position = ({ line, column }: YamlPlace) => ({ line: line - 1, character: column - 1 });
  return { start: position(start), end: position(end) };
}
