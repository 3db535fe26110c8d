export { alikeCallees, type CalleeGroup } from './alike.ts';
export {
  type CallExplanation,
  type CallQuestion,
  type DecidedBy,
  explainCall,
  type GivenCall,
  type SeenCall,
  seenCall,
} from './call.ts';
export { type Callee, calleesOf } from './callee.ts';
export { type Caller, callerOf } from './caller.ts';
export { checkedCall } from './given.ts';
export type { GivenToken, TokenFinding } from './token.ts';
export { type TransportFinding, type TransportReason, transportOf } from './transport.ts';
