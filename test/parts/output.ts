/** One line of a child's output. */
export interface OutputLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

type Listener = (line: OutputLine) => void;

const maxLines = 4_000;
const maxLineLength = 16_384;

/** The last lines that a child wrote: enough to explain a failure, never more than fits. */
export class OutputRing {
  readonly #lines: OutputLine[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #partial = { stdout: '', stderr: '' };

  /** Takes a chunk as it was read; a line counts once its line feed is there. */
  write(stream: 'stdout' | 'stderr', chunk: string): void {
    const pieces = (this.#partial[stream] + chunk).split('\n');
    this.#partial[stream] = (pieces.pop() ?? '').slice(0, maxLineLength);
    for (const piece of pieces) this.#push({ stream, text: piece.slice(0, maxLineLength) });
  }

  /** Counts what is left without a line feed as a line; for the end of a stream. */
  end(stream: 'stdout' | 'stderr'): void {
    const rest = this.#partial[stream];
    this.#partial[stream] = '';
    if (rest !== '') this.#push({ stream, text: rest });
  }

  #push(line: OutputLine): void {
    this.#lines.push(line);
    if (this.#lines.length > maxLines) this.#lines.splice(0, maxLines / 4);
    for (const listener of this.#listeners) listener(line);
  }

  /** The kept lines, of one stream or of both in the order in which they arrived. */
  text(stream?: 'stdout' | 'stderr'): string {
    return this.lines(stream).join('\n');
  }

  lines(stream?: 'stdout' | 'stderr'): string[] {
    return this.#lines
      .filter((line) => stream === undefined || line.stream === stream)
      .map((line) => line.text);
  }

  /** Calls `listener` with each kept line and then with each new one, until the returned function is called. */
  follow(listener: Listener): () => void {
    for (const line of this.#lines) listener(line);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
