import type { PortAccess } from './model.ts';

/** Who may reach what, as boxes on two sides and what goes between them. */
export interface AccessGraph {
  readonly callers: readonly string[];
  readonly callees: readonly string[];
  readonly edges: readonly AccessEdge[];
}

export interface AccessEdge {
  readonly caller: string;
  readonly callee: string;
  /** Each a way in, in a few words. */
  readonly labels: readonly string[];
}

/** @param caller of all, where it is one; else the callers as the regions say */
export function accessGraph(ports: readonly PortAccess[], caller?: string): AccessGraph {
  const edges = new Map<string, AccessEdge & { readonly labels: string[] }>();
  for (const port of ports) {
    const callee = calleeName(port);
    const ways = port.enforced
      ? port.access.map((each) => [caller ?? each.callers, wayWords(each)] as const)
      : [[caller ?? 'anyone, plaintext included', 'nothing is enforced'] as const];
    for (const [from, label] of ways) {
      const key = JSON.stringify([from, callee]);
      const edge = edges.get(key) ?? { caller: from, callee, labels: [] };
      if (!edge.labels.includes(label)) edge.labels.push(label);
      edges.set(key, edge);
    }
  }
  const all = [...edges.values()];
  return {
    callers: [...new Set(all.map((edge) => edge.caller))],
    callees: [...new Set([...all.map((edge) => edge.callee), ...ports.map(calleeName)])],
    edges: all,
  };
}

/** `shop/orders:8080`, and how many others are as it is. */
export function calleeName({ workloads, port }: Pick<PortAccess, 'workloads' | 'port'>): string {
  const [first = '', ...others] = workloads;
  return `${first}:${port}${others.length > 0 ? ` and ${others.length} alike` : ''}`;
}

function wayWords({ methods, paths, conditions }: PortAccess['access'][number]): string {
  const isAny = methods === 'any' && paths === 'any';
  const words = [methods === 'any' ? 'any method' : methods, paths === 'any' ? 'any path' : paths];
  const request = methods === '' ? 'connect' : isAny ? 'any request' : words.join(' ');
  return [request, ...conditions].join(', ');
}

/** The graph in Graphviz's language. */
export function graphAsDot({ callers, callees, edges }: AccessGraph): string {
  const line = (name: string, shape: string) => `  ${quoted(name)} [shape=${shape}];\n`;
  return [
    'digraph access {\n  rankdir=LR;\n',
    ...callers.map((name) => line(name, 'ellipse')),
    ...callees.map((name) => line(name, 'box')),
    ...edges.map(
      ({ caller, callee, labels }) =>
        `  ${quoted(caller)} -> ${quoted(callee)} [label=${quoted(labels.join('\n'))}];\n`,
    ),
    '}\n',
  ].join('');
}

/** A string of DOT: `\n` is a new line there, and what is a backslash is two. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
