/** What was generated and decided how often: every field with every shape of string, every action, every step. */
export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  count(subject: string, what: string): void {
    const own = this.#counts.get(subject) ?? new Map<string, number>();
    own.set(what, (own.get(what) ?? 0) + 1);
    this.#counts.set(subject, own);
  }

  of(subject: string): ReadonlyMap<string, number> {
    return this.#counts.get(subject) ?? new Map();
  }

  /** What of `expected` never came, as `subject: what`. */
  missing(expected: Expected): readonly string[] {
    return Object.entries(expected).flatMap(([subject, all]) =>
      all.filter((what) => !this.of(subject).has(what)).map((what) => `${subject}: ${what}`),
    );
  }

  report(): string {
    return [...this.#counts.keys()]
      .sort()
      .map((subject) => {
        const counts = [...this.of(subject)].sort(([a], [b]) => (a < b ? -1 : 1));
        return `${subject}: ${counts.map(([what, count]) => `${what} ${count}`).join(', ')}`;
      })
      .join('\n');
  }
}

export type Expected = Readonly<Record<string, readonly string[]>>;
