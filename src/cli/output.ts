import { stringify } from 'yaml';
import { formatInstant } from '../kernel/index.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
}

/** Prints rows: aligned columns for people, everything for programs. */
export function printRows<T>(rows: readonly T[], columns: readonly Column<T>[], format: OutputFormat): void {
  if (format !== 'table') return printValue(rows, format);
  process.stdout.write(tableText(rows, columns));
}

/** Aligned columns, a line a row, as a terminal may have them. */
export function tableText<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const table = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, index) => Math.max(...table.map((row) => row[index]?.length ?? 0)));
  return table
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Prints one object; as a table, one field a line. */
export function printRecord(record: Readonly<Record<string, unknown>>, format: OutputFormat): void {
  if (format !== 'table') return printValue(record, format);
  process.stdout.write(recordText(record));
}

/** One field a line, as a terminal may have them. */
export function recordText(record: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(record).map(([key, value]) => [key, text(value)] as const);
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return entries
    .map(([key, value]) => {
      const lines = value.trimEnd().split('\n').map(printable);
      return `${key.padEnd(width)}  ${lines.join(`\n${' '.repeat(width + 2)}`)}\n`;
    })
    .join('');
}

export function printValue(value: unknown, format: 'json' | 'yaml'): void {
  const plain: unknown = JSON.parse(JSON.stringify(value, plainNumbers));
  process.stdout.write(format === 'json' ? `${JSON.stringify(plain, undefined, 2)}\n` : stringify(plain));
}

function text(value: unknown): string {
  if (value instanceof Date) return formatTime(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value, plainNumbers) ?? '';
}

/** JSON has no bigint; as text no digit is lost. */
function plainNumbers(_: string, part: unknown): unknown {
  return typeof part === 'bigint' ? part.toString() : part;
}

export function formatTime(time: Date | undefined): string {
  return time === undefined ? '' : formatInstant(time);
}

/**
 * One line as a terminal may have it: text from the server, or from files of others, must not move its cursor, change its
 * colours, or turn the direction in which it is read.
 */
export function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');
}

/** @param token of the next page; empty where there is none */
export function tellNextPage(token: string): void {
  if (token !== '') process.stderr.write(`There are more: --page ${token}\n`);
}
