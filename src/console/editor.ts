import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Text, Transaction } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { type ComponentChild, h } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ConsoleProblem } from '../wire/console.ts';
import { completePolicy, type KnownNames } from './completion.ts';
import { editorLook } from './editor-look.ts';

/** What others do to the editor. */
export interface EditorHandle {
  /** From 1. */
  focusAt(line: number, column: number): void;
  focus(): void;
}

export interface EditorProps {
  /** A new one makes a new document of `text`; without one, what is typed stays. */
  readonly version: number;
  readonly text: string;
  readonly problems: readonly ConsoleProblem[];
  readonly warnings: readonly ConsoleProblem[];
  readonly names: () => KnownNames;
  readonly onChange: (text: string) => void;
  readonly onReview: () => void;
  readonly onFormat: () => void;
  readonly onReady: (handle: EditorHandle) => void;
}

/**
 * CodeMirror in a shadow root: there it adopts constructed style sheets, where in a document it would add a style element,
 * which the page's Content-Security-Policy forbids. Tab leaves it, as the keyboard must not be caught; Ctrl-] indents.
 */
export function Editor(props: EditorProps): ComponentChild {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (!host.current) return undefined;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const made = new EditorView({ root, parent: root, state: stateOf(latest) });
    view.current = made;
    props.onReady({
      focus: () => made.focus(),
      focusAt(line, column) {
        const at = offsetOf(made.state.doc, line, column);
        made.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
        made.focus();
      },
    });
    return () => made.destroy();
  }, []);
  // Before anything is typed into it: what is typed is of the document that is seen.
  useLayoutEffect(() => {
    if (view.current && view.current.state.doc.toString() !== props.text)
      view.current.setState(stateOf(latest));
  }, [props.version]);
  useEffect(() => {
    if (!view.current) return;
    const found = diagnosticsOf(view.current.state.doc, props.problems, props.warnings);
    view.current.dispatch(setDiagnostics(view.current.state, found));
  }, [props.problems, props.warnings, props.version]);
  return h('div', { class: 'editor', ref: host, id: 'editor' });
}

function stateOf(latest: { readonly current: EditorProps }): EditorState {
  const command = (run: () => void) => () => {
    run();
    return true;
  };
  return EditorState.create({
    doc: latest.current.text,
    extensions: [
      lineNumbers(),
      lintGutter(),
      highlightActiveLineGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      yaml(),
      completePolicy(() => latest.current.names()),
      editorLook,
      keymap.of([
        { key: 'Mod-s', run: command(() => latest.current.onReview()), preventDefault: true },
        { key: 'Shift-Alt-f', run: command(() => latest.current.onFormat()), preventDefault: true },
        ...lintKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...defaultKeymap,
      ]),
      // It can be reached without it too; what looks for reasons why this scrolls by the keyboard looks for it.
      EditorView.contentAttributes.of({ 'aria-label': 'Policy as YAML', tabindex: '0' }),
      EditorView.domEventHandlers({ beforeinput: replaceSelection }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        const typed = update.transactions.some((each) => each.annotation(Transaction.remote) !== true);
        if (typed) latest.current.onChange(update.state.doc.toString());
      }),
    ],
  });
}

/**
 * What is typed over a selection, Chromium would put in with the selection's colour in a style attribute, which the page's
 * Content-Security-Policy stops and reports.
 */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  const { data, inputType, isComposing } = event;
  const replaced = replacedBy(event, view);
  if (inputType !== 'insertText' || data === null || isComposing || !replaced) return false;
  event.preventDefault();
  const { from, to } = replaced;
  const insert = view.state.toText(data);
  view.dispatch({
    changes: { from, to, insert },
    selection: { anchor: from + insert.length },
    userEvent: 'input.type',
    scrollIntoView: true,
  });
  return true;
}

/** What is selected; undefined where nothing is. The browser knows first, and does not say it of every shadow root. */
function replacedBy(
  event: InputEvent,
  view: EditorView,
): { readonly from: number; readonly to: number } | undefined {
  for (const range of [event.getTargetRanges()[0], selectedIn(view.root)])
    if (range && !range.collapsed)
      return {
        from: view.posAtDOM(range.startContainer, range.startOffset),
        to: view.posAtDOM(range.endContainer, range.endOffset),
      };
  const { main } = view.state.selection;
  return main.empty ? undefined : main;
}

function selectedIn(root: DocumentOrShadowRoot): AbstractRange | undefined {
  if (!('getSelection' in root) || typeof root.getSelection !== 'function') return undefined;
  const selection: unknown = root.getSelection();
  return selection instanceof Selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : undefined;
}

function offsetOf(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(at.from + Math.max(0, column - 1), at.to);
}

function diagnosticsOf(
  doc: Text,
  problems: readonly ConsoleProblem[],
  warnings: readonly ConsoleProblem[],
): Diagnostic[] {
  const diagnostic =
    (severity: 'error' | 'warning') =>
    ({ line, column, message, mend }: ConsoleProblem): Diagnostic => {
      const from = offsetOf(doc, line, column);
      // To the end of what stands there: the reader tells where a value begins.
      const to = doc.lineAt(from).to;
      return { from, to, severity, message: mend === '' ? message : `${message}\n${mend}` };
    };
  return [
    ...problems.filter(({ line }) => line > 0).map(diagnostic('error')),
    ...warnings.filter(({ line }) => line > 0).map(diagnostic('warning')),
  ].toSorted((a, b) => a.from - b.from);
}
