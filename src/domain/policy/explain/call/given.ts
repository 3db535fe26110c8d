import { isIP } from 'node:net';
import { CitadelError } from '../../../../kernel/index.ts';
import { faultOfHeaderName, faultOfMethod } from '../../read/index.ts';
import type { GivenCall } from './call.ts';

/**
 * A call as an author states it. What nobody can send would be explained as if it could: a mistyped address lies in no
 * block, and may come out allowed.
 * @throws CitadelError OutOfRange
 */
export function checkedCall(call: GivenCall): GivenCall {
  const fault = faultOfCall(call);
  if (fault === undefined) return call;
  throw new CitadelError('OutOfRange', fault);
}

function faultOfCall({ method, host, sni, headers, ...call }: GivenCall): string | undefined {
  const addresses = [call.sourceIp, call.remoteIp, call.destinationIp];
  const address = addresses.find((each) => each !== undefined && !isAddress(each));
  if (address !== undefined)
    return `${JSON.stringify(address)} is no IP address; write one, as 10.1.2.3 or 2001:db8::1`;
  if (method !== undefined && faultOfMethod(method)) return faultOfMethod(method)?.message;
  for (const [name, values] of Object.entries(headers)) {
    const fault = faultOfHeaderName(name);
    if (fault)
      return name.startsWith(':')
        ? `${fault.message}: say method, path and host by themselves`
        : fault.message;
    if (values.some((value) => lineEnd.test(value)))
      return `the header ${name} holds the end of a line, which no header can (RFC 9110 5.5)`;
  }
  const name = [host, sni].find((each) => each !== undefined && blank.test(each));
  if (name !== undefined) return `${JSON.stringify(name)} can be no name of a host: it holds a space`;
  return undefined;
}

/** A zone is of one machine alone, and in no policy. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

// oxlint-disable-next-line no-control-regex
const lineEnd = /[\0\r\n]/;
// oxlint-disable-next-line no-control-regex
const blank = /[\u0000-\u0020\u007f]/;
