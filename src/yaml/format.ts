import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseAllDocuments,
  stringify,
  visit,
  type YAMLMap,
} from 'yaml';
import { strictOptions } from './document.ts';
import { splitDocuments } from './split.ts';
import type { JsonSchema } from './strict.ts';

const mostPasses = 5;

/** The schema of a value whose keys have an order; undefined for what keeps the order that it has. */
export type ShapeOf = (value: unknown) => JsonSchema | undefined;

/**
 * Writes a text of sound documents anew: keys in the order of their schema, names that a schema leaves open in their
 * own, one indentation; comments stay with what they stand before. The same text comes out of what this gives.
 */
export function formatYaml(text: string, shapeOf: ShapeOf): string {
  let before = text;
  // A comment that was moved may count to another value where it now stands, and so move once more.
  for (let pass = 0; pass < mostPasses; pass++) {
    const after = formatOnce(before, shapeOf);
    if (after === before) break;
    before = after;
  }
  return before;
}

/** A value as text, in the form that formatYaml gives. */
export function printYaml(value: unknown, shapeOf: ShapeOf): string {
  return formatYaml(stringify(value), shapeOf);
}

function formatOnce(text: string, shapeOf: ShapeOf): string {
  const documents = splitDocuments(text).flatMap((chunk) => {
    // Keys that look like numbers stay written as numbers.
    const parsed = parseAllDocuments(chunk.text, { ...strictOptions, stringKeys: false });
    return 'empty' in parsed ? [] : parsed.map((document) => ({ document, source: chunk.text }));
  });
  return documents
    .filter(({ document }) => !isEmpty(document))
    .map(({ document, source }, index) => {
      if (!hasAliases(document)) orderKeys(document, source, shapeOf);
      if (document.directives) document.directives.docStart = index > 0 || null;
      const comment = loneComment(document);
      if (comment !== undefined) return `${index > 0 ? '---\n' : ''}${comment.replaceAll(/^/gm, '#')}\n`;
      return document.toString({ lineWidth: 0, flowCollectionPadding: false });
    })
    .join('');
}

function isEmpty({ contents, commentBefore, comment }: Document.Parsed): boolean {
  const nothing = contents === null || (isScalar(contents) && contents.value === null);
  return nothing && !commentBefore && !comment && !(isScalar(contents) && contents.comment);
}

/** The comment of a document that holds nothing else. */
function loneComment({ contents }: Document.Parsed): string | undefined {
  return isScalar(contents) && contents.value === null ? (contents.comment ?? undefined) : undefined;
}

/** An alias must come after its anchor: what has any keeps its order. */
function hasAliases(document: Document.Parsed): boolean {
  let found = false;
  visit(document, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

function orderKeys(document: Document.Parsed, source: string, shapeOf: ShapeOf): void {
  const { contents } = document;
  const [head] = isMap(contents) ? contents.items : [];
  const descend = (node: unknown, shape: JsonSchema | undefined): void => {
    if (isSeq(node)) {
      const { items } = shape ?? {};
      const below = typeof items === 'object' && !Array.isArray(items) ? items : undefined;
      for (const item of node.items) descend(item, below);
    }
    if (!isMap(node)) return;
    const own = shape ?? shapeOf(node.toJS(document));
    order(node, own);
    for (const pair of node.items) {
      const [first] = isMap(pair.value) ? pair.value.items : [];
      descend(pair.value, propertyOf(own, keyOf(pair)));
      if (isMap(pair.value) && first && pair.value.items[0] !== first)
        passComment(pair, pair.value, first, source);
    }
  };
  descend(contents, undefined);
  if (isMap(contents) && head && contents.items[0] !== head) liftHead(document, head);
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function propertyOf(shape: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const property = shape?.properties?.[key];
  if (typeof property !== 'object') return undefined;
  // What may also be null is one of two.
  return property.anyOf?.find((one) => typeof one === 'object' && one.type === 'object') ?? property;
}

function order(map: YAMLMap, shape: JsonSchema | undefined): void {
  if (shape === undefined) return;
  const known = Object.keys(shape.properties ?? {});
  const isOpen = typeof shape.additionalProperties === 'object';
  const rank = (pair: Pair) => {
    const index = known.indexOf(keyOf(pair));
    return index === -1 ? known.length : index;
  };
  const [first] = map.items;
  map.items.sort((a, b) => rank(a) - rank(b) || (isOpen ? inOrder(keyOf(a), keyOf(b)) : 0));
  const [top] = map.items;
  if (top && top !== first && isScalar(top.key)) {
    // A blank line parted it from what stood before it.
    if (first && isScalar(first.key) && top.key.spaceBefore) first.key.spaceBefore = true;
    top.key.spaceBefore = false;
  }
}

function inOrder(a: string, b: string): number {
  const byNumber = /^\d+$/.test(a) && /^\d+$/.test(b) ? Number(a) - Number(b) : 0;
  if (byNumber !== 0 || a === b) return byNumber;
  return a < b ? -1 : 1;
}

/** Without a marker, the comment at the head of a document is its first key's; a blank line tells them apart. */
function liftHead(document: Document.Parsed, first: Pair): void {
  if (!isScalar(first.key) || !first.key.commentBefore) return;
  const end = first.key.commentBefore.lastIndexOf('\n\n');
  if (end === -1) return;
  document.commentBefore = [document.commentBefore, first.key.commentBefore.slice(0, end)]
    .filter(Boolean)
    .join('\n');
  first.key.commentBefore = first.key.commentBefore.slice(end + 2);
}

/** A comment above the first key of a map is the map's; it goes along when that key goes elsewhere. */
function passComment(pair: Pair, map: YAMLMap, first: Pair, source: string): void {
  if (!map.commentBefore || !isScalar(pair.key) || !isScalar(first.key)) return;
  const between = source.slice(pair.key.range?.[1] ?? 0, map.range?.[0] ?? 0);
  const lines = map.commentBefore.split('\n');
  const own = /^[^\n]*#/.test(between) ? lines.splice(0, 1) : [];
  map.commentBefore = own.length > 0 ? own.join('\n') : null;
  if (lines.length > 0)
    first.key.commentBefore = [lines.join('\n'), first.key.commentBefore].filter(Boolean).join('\n');
}
