import { spawnSync } from 'node:child_process';
import { CitadelError } from '../kernel/index.ts';
import type { PolicyFile } from './policy-files.ts';
import { isPolicyFile } from './policy-files.ts';

/** Of all files that a ref has in the directory. */
const limits = { files: 20_000, bytes: 64 * 1024 * 1024, milliseconds: 30_000 } as const;

/** What stands before a side that git has. */
export const gitMark = 'git:';

/** A file of a commit. */
export interface GitFile extends PolicyFile {
  /** From where the command was called. */
  readonly path: string;
}

/** @param text `REF` or `REF:DIRECTORY`; the directory is from where the command was called */
export function parseGitSide(text: string): { readonly ref: string; readonly directory: string } {
  const colon = text.indexOf(':');
  return colon === -1
    ? { ref: text, directory: '.' }
    : { ref: text.slice(0, colon), directory: text.slice(colon + 1) || '.' };
}

/**
 * The policy files of a git ref, below a directory of the repository that the command was called in. What git says is
 * read; nothing is checked out, fetched or run.
 * @param text `REF` or `REF:DIRECTORY`; a ref `REF...` is the commit at which what is checked out parted from REF
 * @throws CitadelError InvalidArgument for a ref that is none; FailedPrecondition where git cannot be asked
 */
export function readGitFiles(
  text: string,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): readonly GitFile[] {
  const { ref, directory } = parseGitSide(text);
  const commit = commitOf(ref);
  const listed = git(['ls-tree', '-r', '-z', '-l', commit, '--', directory], {
    otherwise: `git cannot list ${directory} of ${ref}`,
  });
  const entries = listed.toString('utf8').split('\0').flatMap(entryOf);
  if (entries.length === 0 && mayBeEmpty) return [];
  if (entries.length === 0)
    throw new CitadelError(
      'FailedPrecondition',
      `no file below ${directory} of ${ref} ends in .yaml, .yml or .json`,
    );
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  if (entries.length > limits.files || bytes > limits.bytes)
    throw new CitadelError(
      'ResourceExhausted',
      `${directory} of ${ref} has ${entries.length} files of ${bytes} bytes together; at most ${limits.files} and ${limits.bytes} are read`,
    );
  const input = entries.map(({ object }) => `${object}\n`).join('');
  const contents = git(['cat-file', '--batch'], { input, otherwise: `git cannot read ${ref}` });
  return textsOf(contents, entries).map((content, at) => {
    const path = entries[at]?.path ?? '';
    return { source: `git:${ref}:${path}`, path, file: undefined, text: content };
  });
}

const partedMark = '...';

function commitOf(ref: string): string {
  const isParted = ref.endsWith(partedMark);
  const name = isParted ? ref.slice(0, -partedMark.length) : ref;
  if (!/^[A-Za-z0-9_@][A-Za-z0-9_./@^~+{}-]*$/.test(name))
    throw new CitadelError('InvalidArgument', `${JSON.stringify(ref)} is no name of a git ref`);
  const commit = line(
    git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], {
      otherwise: `git knows no commit ${name}; where it is a branch of others, fetch it first`,
    }),
  );
  if (!isParted) return commit;
  return line(
    git(['merge-base', commit, 'HEAD'], {
      otherwise: `git knows no commit that ${name} and HEAD come from; fetch more of their history`,
    }),
  );
}

function line(output: Buffer): string {
  return output.toString('utf8').trim();
}

interface Entry {
  readonly object: string;
  readonly size: number;
  readonly path: string;
}

/** `<mode> blob <object> <size>\t<path>`; links and submodules are no files. */
function entryOf(text: string): readonly Entry[] {
  const [, object, size, path] = /^100(?:644|755) blob ([0-9a-f]{40,64}) +(\d+)\t(.*)$/s.exec(text) ?? [];
  if (object === undefined || size === undefined || path === undefined) return [];
  const isHidden = path.split('/').some((part) => part.startsWith('.') && part !== '..');
  return isHidden || !isPolicyFile(path) ? [] : [{ object, size: Number(size), path }];
}

/** Each as `<object> blob <size>`, a line end, so many bytes, and a line end. */
function textsOf(contents: Buffer, entries: readonly Entry[]): readonly string[] {
  let at = 0;
  return entries.map(({ object, size }) => {
    const end = contents.indexOf('\n', at);
    if (end === -1 || contents.toString('latin1', at, end) !== `${object} blob ${size}`)
      throw new CitadelError('FailedPrecondition', `git did not give the file ${object}`);
    at = end + 1 + size + 1;
    return contents.toString('utf8', end + 1, end + 1 + size);
  });
}

function git(
  args: readonly string[],
  { input, otherwise }: { readonly input?: string; readonly otherwise: string },
): Buffer {
  const { status, stdout, error } = spawnSync('git', ['--no-pager', ...args], {
    ...(input === undefined ? {} : { input }),
    // What is missing in a partial clone is not fetched, and nobody is asked for a password.
    env: { ...process.env, GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' },
    maxBuffer: 2 * limits.bytes,
    timeout: limits.milliseconds,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  if (error) throw new CitadelError('FailedPrecondition', `git cannot be run: ${error.message}`);
  if (status !== 0) throw new CitadelError('InvalidArgument', otherwise);
  return stdout;
}
