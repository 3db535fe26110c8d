export { createLog, type LogLevel, type LogOptions, serializeError } from './pino-log.ts';
