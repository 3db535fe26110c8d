export { Asking, everywhere } from './asking.ts';
export { effects } from './effects.ts';
