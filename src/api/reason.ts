import { CitadelError } from '../kernel/index.ts';

const largestReason = 1024;

/** For the audit record. @throws CitadelError InvalidArgument */
export function checkedReason(reason: string): string {
  if (reason.length <= largestReason) return reason;
  throw new CitadelError('InvalidArgument', `a reason may have ${largestReason} characters at most`);
}
