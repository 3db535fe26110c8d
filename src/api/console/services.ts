import type { BrowserSessions } from '../../domain/operators/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import type { ConsoleRecordServices } from './replay.ts';
import type { ConsoleShadowServices } from './shadow.ts';

export interface ConsoleServices extends ConsoleShadowServices, ConsoleRecordServices {
  readonly sessions: BrowserSessions;
  readonly trustDomain: string;
  readonly version: string;
  readonly analysis: PolicyAnalysis;
}
