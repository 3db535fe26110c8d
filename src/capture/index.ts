export { applyRuleset, liveRuleset, removeRuleset } from './nft.ts';
export { renderRuleset } from './ruleset.ts';
export { type CaptureArguments, captureSettings } from './settings.ts';
