export interface Address {
  readonly host: string;
  readonly port: number;
}

const addressForm = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/** Reads `HOST:PORT` or `[IPv6]:PORT`; port 0 lets the system choose. */
export function parseAddress(text: string): Address | undefined {
  const match = addressForm.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}
