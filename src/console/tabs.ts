import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Tab {
  readonly id: string;
  readonly title: string;
  /** Beside the title; none where it is 0. */
  readonly count?: number;
  readonly urgent?: boolean;
}

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  readonly children: ComponentChildren;
}

/** Tabs as the ARIA Authoring Practices have them: one stop for Tab, arrows, Home and End between them. */
export function Tabs({ label, tabs, selected, onSelect, children }: TabsProps): ComponentChild {
  const list = useRef<HTMLDivElement>(null);
  // Where they are more than the page is wide, the selected one is among those that are seen.
  useEffect(
    () =>
      list.current
        ?.querySelector(`#tab-${selected}`)
        ?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
    [selected],
  );
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === selected);
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: -1,
    };
    const next = steps[event.key];
    const tab = next === undefined ? undefined : tabs.at(next % tabs.length);
    if (!tab) return;
    event.preventDefault();
    onSelect(tab.id);
    list.current?.querySelector<HTMLElement>(`#tab-${tab.id}`)?.focus();
  };
  return h(
    'section',
    { class: 'panel', 'aria-label': label },
    h(
      'div',
      { class: 'tabs', role: 'tablist', 'aria-label': label, ref: list, onKeyDown: move },
      tabs.map(({ id, title, count = 0, urgent = false }) =>
        h(
          'button',
          {
            key: id,
            id: `tab-${id}`,
            type: 'button',
            role: 'tab',
            'aria-selected': id === selected ? 'true' : 'false',
            'aria-controls': 'tab-panel',
            tabIndex: id === selected ? 0 : -1,
            onClick: () => onSelect(id),
          },
          title,
          count > 0 ? h('span', { class: urgent ? 'count urgent' : 'count' }, String(count)) : null,
        ),
      ),
    ),
    h(
      'div',
      { id: 'tab-panel', role: 'tabpanel', 'aria-labelledby': `tab-${selected}`, tabIndex: 0 },
      children,
    ),
  );
}
