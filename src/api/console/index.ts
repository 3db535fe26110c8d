export {
  type ConsoleListener,
  type ConsoleListenerOptions,
  defaultConsoleLimits,
  startConsoleListener,
} from './listener.ts';
