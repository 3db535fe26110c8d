import type { YamlPath } from './document.ts';

/** A path as people read it: `spec.rules[0].to`, and `metadata.annotations["istio.io/dry-run"]`. */
export function formatPath(path: YamlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w$-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
