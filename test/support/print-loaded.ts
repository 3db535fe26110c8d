import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// A program of its own: imports the files that it is given and prints what that made Node load, as JSON.
const files: string[] = [];
registerHooks({
  load(url, context, next) {
    files.push(url);
    return next(url, context);
  },
});
for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)).href);
/** `NativeModule internal/deps/undici/undici`, and the like. */
const builtins: unknown = Reflect.get(process, 'moduleLoadList');
console.log(JSON.stringify([files, builtins].flat()));
