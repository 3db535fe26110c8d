/** Where transparent capture brings connections; the kernel's rules and the proxy's listeners must agree. */
export const capturePorts = { inbound: 15_006, outbound: 15_001 } as const;

/**
 * Where the proxy's connections to the application beside it come from. By these the kernel's rules tell them from the
 * proxy's calls to a service that has this very workload among its endpoints.
 */
export const captureSources = { ipv4: '127.0.0.6', ipv6: '::1' } as const;
