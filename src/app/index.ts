export { openStoppedServer, openStoredRecord, type StoppedServer } from './audit-offline.ts';
export { type App, type AppOverrides, createApp } from './create-app.ts';
export { openEndedRoot } from './recover.ts';
export { startServer } from './start-server.ts';
