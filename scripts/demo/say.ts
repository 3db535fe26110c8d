/** What a viewer reads. */
export const say = (text = '') => process.stdout.write(`${text}\n`);

const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
export const step = (title: string) => say(`\n${bold(title)}`);
