import { type ComponentChild, h } from 'preact';
import type { ConsoleShadow } from '../wire/console.ts';
import { count } from './elements.ts';
import { Table } from './table.ts';

/** What proxies saw of a candidate: who has it, how many calls, and on which both disagree. */
export function ShadowSeen({ shadow }: { readonly shadow: ConsoleShadow }): ComponentChild {
  const { workloads, differences, more, seen, notCounted } = shadow;
  return [
    h('p', { class: differences.length === 0 ? '' : 'odd' }, seen),
    notCounted.map((words) => h('p', { key: words, class: 'odd' }, words)),
    differences.length === 0
      ? null
      : h(
          'ul',
          { class: 'differences' },
          differences.map(({ becomes, caller, workload, calls, why, examples }, index) =>
            h(
              'li',
              { key: index },
              h(
                'p',
                {},
                h('span', { class: `badge ${becomes}` }, `would become ${becomes}`),
                ` ${count(calls, 'call', 'calls')} of `,
                h('strong', {}, caller),
                ' to ',
                h('strong', {}, workload),
              ),
              h('p', {}, why),
              examples.map((example, at) => h('p', { key: at, class: 'witness' }, h('code', {}, example))),
            ),
          ),
        ),
    more === 0
      ? null
      : h('p', { class: 'odd' }, `${count(more, 'call', 'calls')} more differ, of kinds that are not kept.`),
    workloads.length === 0
      ? h('p', { class: 'faint' }, 'It decides otherwise for no workload that is known.')
      : h(Table, {
          label: 'Workloads that it is tried at',
          titles: ['Workload', 'Proxies', 'Calls seen', 'Differ', 'Undecided', 'Log complete'],
          rows: workloads.map((each) => [
            each.workload,
            h('span', { class: each.hasIt ? 'good' : 'odd' }, each.proxies),
            String(each.seen),
            String(each.different),
            String(each.unknown),
            each.complete,
          ]),
        }),
  ];
}
