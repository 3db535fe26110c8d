export { createFileSource, type FileSourceOptions } from './file-source.ts';
export { readRegistry } from './read-once.ts';
export { DirectoryWatchers } from './watchers.ts';
