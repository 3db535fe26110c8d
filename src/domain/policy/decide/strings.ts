/**
 * A list's string against a value that is there. `*` alone asks for anything but emptiness; a star in front makes a
 * suffix, and is looked at first, so that in `*a*` the second star is a star; one at the end makes a prefix.
 */
export function matchesPattern(pattern: string, value: string): boolean {
  if (pattern === '*') return value !== '';
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1));
  return value === pattern;
}

/** Letters of ASCII alone: hosts have no others. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The authority as policies and the application see it: the dot that ends a full name is gone, its port is not. */
export function normalizeHost(raw: string): string {
  const dot = raw.lastIndexOf('.');
  const ends = dot !== -1 && (dot === raw.length - 1 || raw[dot + 1] === ':');
  return ends ? raw.slice(0, dot) + raw.slice(dot + 1) : raw;
}
