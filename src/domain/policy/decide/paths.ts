/**
 * The form of a path that policies are compared with, and that the application is given: escaped slashes and backslashes
 * are slashes, escaped letters are letters, dot segments are resolved, slashes merged; the query is gone. It says what
 * Envoy does under the settings that our listeners have.
 *
 * @param raw with a character for each byte; above ASCII HTTP/2 lets them pass, and HTTP/1.1 does not
 * @returns undefined for what has no such form; the proxy answers 400
 */
export function normalizePath(raw: string): string | undefined {
  if (!raw.startsWith('/') || raw.includes('#') || /[^\x21-\x7e\x80-\xff]/.test(raw)) return undefined;
  const path = raw.split('?', 1)[0] ?? '';
  if (path.includes('%00')) return undefined;
  const slashed = path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
  // Only dots that are written as such lose their parameters.
  const plain = slashed.replace(/(?<=\/\.\.?);[^/\\]*/g, '');
  return mergeSlashes(resolveDots(canonicalCharacters(plain)));
}

/** As Envoy does it: of nothing but slashes two are left. */
function mergeSlashes(path: string): string {
  return /^\/{2,}$/.test(path) ? '//' : path.replace(/\/{2,}/g, '/');
}

/** Letters, digits and `-._~` are never escaped, what no path may hold always is, and nothing is unescaped twice. */
function canonicalCharacters(path: string): string {
  const stray = '\0';
  return path
    .replace(/%(?![0-9a-fA-F]{2})/g, stray)
    .replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
      const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : escaped;
    })
    .replace(/\0(?=[0-9a-fA-F]{2})/g, '%25')
    .replaceAll(stray, '%')
    .replace(/["<>^`{|}\x80-\xff]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('\\', '/');
}

/** Before slashes are merged: `/a//../b` is `/a/b`. */
function resolveDots(path: string): string {
  const resolved: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const dots = segment === '.' ? 1 : segment === '..' ? 2 : 0;
    if (dots === 0) resolved.push(segment);
    if (dots === 2) resolved.pop();
    // A path that ends in dots names a folder.
    if (dots > 0 && index === segments.length - 1) resolved.push('');
  }
  return `/${resolved.join('/')}`;
}

/** `{*}` stands for one segment with something in it, `{**}` for anything, nothing and slashes included. */
export function isPathTemplate(pattern: string): boolean {
  return pattern.includes('{*}') || pattern.includes('{**}');
}

export function matchesTemplate(template: string, path: string): boolean {
  return templateExpression(template).test(path);
}

const compiled = new Map<string, RegExp>();

function templateExpression(template: string): RegExp {
  const known = compiled.get(template);
  if (known !== undefined) return known;
  const source = template
    .split(/(\{\*\*?\})/)
    .map((part) => (part === '{*}' ? '[^/]+' : part === '{**}' ? '.*' : escapeExpression(part)))
    .join('');
  const expression = new RegExp(`^${source}$`);
  // Few templates are many requests; more than a few are an abuse that must not fill memory.
  if (compiled.size >= 10_000) compiled.clear();
  compiled.set(template, expression);
  return expression;
}

function escapeExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
