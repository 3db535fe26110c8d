import { CitadelError } from '../../kernel/index.ts';

/** More than any line of a checkpoint, and of one in JSON. */
const longestLine = 65_536;
const longestNote = 32_768;

/**
 * The notes in a text, one after the other: as the file of checkpoints has them, with an empty line behind each; a single
 * one as Vault prints it; or lines of JSON as standard output has them, among which other lines are passed over.
 * What is no note comes as it stands: who verifies it will say so.
 * @param chunks of UTF-8 text
 * @throws CitadelError InvalidArgument for lines or notes that are longer than any checkpoint's
 */
export async function* readNotes(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let note = '';
  let signed = false;
  let printedOnes = false;
  for await (const line of linesOf(chunks)) {
    const printed = signed ? undefined : printedNote(line);
    if (printed !== undefined) {
      // What a process prints beside its lines of JSON is no checkpoint.
      note = '';
      printedOnes = true;
      if (printed !== null) yield printed;
    } else if (line === '' && signed) {
      yield note;
      note = '';
      signed = false;
    } else if (line !== '' || note !== '') {
      note += `${line}\n`;
      signed ||= line.startsWith('\u2014 ');
      if (note.length > longestNote) throw tooLong();
    }
  }
  if (note !== '' && (signed || !printedOnes)) yield note;
}

/** The note in a line of JSON; null for another line of JSON; undefined for a line that is none. */
function printedNote(line: string): string | null | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    const found =
      typeof value === 'object' && value !== null && 'auditCheckpoint' in value
        ? value.auditCheckpoint
        : null;
    return typeof found === 'string' ? found : null;
  } catch {
    return undefined;
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw tooLong();
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function tooLong(): CitadelError {
  return new CitadelError(
    'InvalidArgument',
    'this is no file of checkpoints: it has longer lines than they have',
  );
}
