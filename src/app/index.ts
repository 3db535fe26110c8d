export { type App, type AppOverrides, createApp } from './create-app.ts';
