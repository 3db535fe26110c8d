import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/**
 * For bash our own in place of the library's, which hands what is typed to `eval`, needs the package bash-completion,
 * complains when it is sourced twice and never offers a file. Nothing that is typed is run here: `read` splits at blanks
 * and no more. Bash itself takes `=` and `:` for ends of words, so what is matched is its word, what is asked is ours.
 */
const bashScript = String.raw`# bash completion for citadel; load it with: source <(citadel completion bash)
_citadel() {
  local typed=${'$'}{COMP_LINE:0:COMP_POINT} current=${'$'}{COMP_WORDS[COMP_CWORD]} value
  local -a words
  read -ra words <<<"$typed"
  [[ $typed == *[[:blank:]] ]] && words+=('')
  [[ $current == '=' ]] && current=''
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    [[ $value != :* && $value == "$current"* ]] && COMPREPLY+=("$value")
  done < <("$1" complete -- "${'$'}{words[@]:1}" 2>/dev/null)
}
complete -o default -F _citadel citadel
`;

/** Adds `citadel completion SHELL`, and the hidden `citadel complete`, which the scripts ask; after all other commands. */
export function addCompletionCommands(program: Command): void {
  const completions = tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a script of completions for a shell: source <(citadel completion bash)');
  const setup = completions.setup.bind(completions);
  completions.setup = (name, executable, shell) => {
    if (shell === 'bash') process.stdout.write(bashScript);
    else setup(name, executable, shell);
  };
}
