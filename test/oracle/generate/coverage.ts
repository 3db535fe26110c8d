/** How often the generator used what: every field with every shape of string, every action. */
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

  get subjects(): readonly string[] {
    return [...this.#counts.keys()].sort();
  }

  report(): string {
    return this.subjects
      .map((subject) => {
        const counts = [...this.of(subject)].sort(([a], [b]) => (a < b ? -1 : 1));
        return `${subject}: ${counts.map(([what, count]) => `${what} ${count}`).join(', ')}`;
      })
      .join('\n');
  }
}
