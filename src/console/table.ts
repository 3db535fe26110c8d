import { type ComponentChild, h } from 'preact';

interface TableProps {
  readonly label: string;
  readonly titles: readonly string[];
  /** Each as many cells as there are titles. */
  readonly rows: readonly (readonly ComponentChild[])[];
}

/** Wider than the page it scrolls by itself, by the keyboard too. */
export function Table({ label, titles, rows }: TableProps): ComponentChild {
  return h(
    'div',
    { class: 'table', tabIndex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          titles.map((title) => h('th', { key: title, scope: 'col' }, title)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row, index) =>
          h(
            'tr',
            { key: index },
            // Where there is no room for columns, each cell says what it is.
            row.map((cell, at) => h('td', { key: at, 'data-title': titles[at] }, cell)),
          ),
        ),
      ),
    ),
  );
}
