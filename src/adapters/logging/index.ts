export { createLog, type LogLevel, type LogOptions } from './pino-log.ts';
