export {
  defaultSuggestOptions,
  type LeftOut,
  type LeftOutReason,
  type SuggestedCaller,
  type SuggestedOperation,
  type Suggestion,
} from './model.ts';
export { type SuggestRequest, suggest } from './suggest.ts';
export { suggestTarget } from './target.ts';
export { generalise } from './templates.ts';
