const wrapped = /Last error: (?:Error(?: \[\w+\])?: )?([\s\S]*?)\s*\. Resolution note:/;

/** Why a connection failed, out of the words that grpc-js puts around it; other details are given back as they are. */
export function connectionFault(details: string): string {
  return wrapped.exec(details)?.[1] ?? details;
}
