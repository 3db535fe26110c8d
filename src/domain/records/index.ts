export { type ExportQuery, exportRecords } from './export.ts';
export { type DecisionIdentity, decisionKey } from './identity.ts';
export {
  formatRecord,
  formatRecordsHead,
  isRecordsHead,
  type RecordsHead,
  readRecord,
  readRecordsHead,
} from './json-lines.ts';
export { createDecisionRecorder, type DecisionRecorder } from './recorder.ts';
export { stableLabels } from './stable-labels.ts';
