import type { ExportQuery } from '../../../domain/records/index.ts';
import type * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { chunks } from './chunks.ts';
import { needsControlPlane } from './needs-control-plane.ts';

export interface DecisionRecordServices {
  /** JSON Lines; undefined where this server has no control plane. */
  readonly decisionRecords: ((query: Omit<ExportQuery, 'sample'>) => AsyncIterable<string>) | undefined;
}

const mostWorkloads = 1_000;
const longestName = 1024;

export function getDecisionRecords(
  { decisionRecords }: DecisionRecordServices,
  { since, workloads }: wire.GetDecisionRecordsRequest,
): AsyncIterable<wire.GetDecisionRecordsResponse> {
  const records = needsControlPlane(decisionRecords);
  if (workloads.length > mostWorkloads)
    throw new CitadelError('InvalidArgument', `more than ${mostWorkloads} workloads in one request`);
  if (workloads.some((name) => name === '' || name.length > longestName))
    throw new CitadelError('InvalidArgument', 'a workload has no name, or too long a one');
  return chunks(encoded(records({ since, workloads })));
}

async function* encoded(texts: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}
