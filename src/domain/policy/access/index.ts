/** Who may reach what, of all requests at once, in words. */
export { type AccessGraph, accessGraph, calleeName, graphAsDot } from './graph.ts';
export type { Access, PortAccess } from './model.ts';
export { graphAsSvg } from './svg.ts';
export { type WhatReached, whatReaches } from './what.ts';
export { accessOf, whoReaches } from './who.ts';
