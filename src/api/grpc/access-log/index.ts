export { type AccessLogLimits, defaultAccessLogLimits } from './limits.ts';
export { type AccessLogServiceOptions, createAccessLogService } from './service.ts';
