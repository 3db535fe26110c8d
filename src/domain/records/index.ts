export { decisionsIn, rulesVersions } from './decided-by.ts';
export { type ExportQuery, exportRecords } from './export.ts';
export { type DecisionIdentity, decisionKey } from './identity.ts';
export { formatRecord, formatRecordsHead, type RecordsHead, readRecordsHead } from './json-lines.ts';
export { type LineFault, longestRecordLine, type ReadRecords, readRecordLines } from './read-lines.ts';
export { createDecisionRecorder, type DecisionRecorder } from './recorder.ts';
