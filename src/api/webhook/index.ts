export type { WebhookClients } from './caller.ts';
export {
  defaultWebhookLimits,
  startWebhookListener,
  type WebhookLimits,
  type WebhookListener,
  type WebhookListenerOptions,
} from './listener.ts';
