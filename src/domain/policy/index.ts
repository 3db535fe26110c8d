export * from './decide/index.ts';
export type * from './model.ts';
