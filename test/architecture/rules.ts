/** What the source tree's folders may import. The design says why; this says it so that a test can read it. */
export interface Rules {
  /** For each layer the other layers that it may import. */
  readonly layers: Readonly<Record<string, readonly string[]>>;
  /** Patterns of files that may be imported from other folders, beside the `index.ts` of a layer. */
  readonly doors: readonly RegExp[];
  /** Libraries that more than one folder may import: the folders, and the reason. */
  readonly shared: Readonly<
    Record<string, { readonly folders: readonly string[]; readonly because: string }>
  >;
}

const below = ['kernel', 'yaml', 'spiffe', 'pki', 'domain'];

export const rules: Rules = {
  layers: {
    kernel: [],
    yaml: ['kernel'],
    spiffe: [],
    pki: ['kernel', 'spiffe'],
    domain: ['kernel', 'yaml', 'spiffe', 'pki'],
    // Messages that more than one side writes.
    wire: ['gen'],
    adapters: [...below, 'gen', 'wire'],
    api: [...below, 'gen', 'wire'],
    // Runs in a browser: of all else it knows only how the server speaks with it.
    console: ['wire'],
    agent: [...below, 'gen', 'wire'],
    app: [...below, 'adapters', 'api', 'agent'],
    // Speaks with the kernel of the machine that it runs on, for a command alone: no server, nothing to compose.
    capture: ['kernel', 'domain'],
    // No adapters and no api: the commands speak the operator API, and app alone constructs services.
    cli: [...below, 'agent', 'app', 'capture', 'gen'],
    gen: [],
  },
  doors: [
    /^src\/domain\/[^/]+\/index\.ts$/,
    /^src\/adapters\/[^/]+\/index\.ts$/,
    /^src\/adapters\/[^/]+\/[^/]+\/index\.ts$/,
    /^src\/api\/[^/]+\/index\.ts$/,
    /^src\/app\/config\/index\.ts$/,
    // The agent's own composition, without the server's: an agent stands beside every workload.
    /^src\/app\/agent\.ts$/,
    // What puts a backup back, without the server that it is of.
    /^src\/app\/restore\.ts$/,
    // What a registry's files say, without the server that watches them.
    /^src\/app\/policy-world\.ts$/,
    // A real Envoy that decides the calls of tests, for the one command that wants it.
    /^src\/app\/envoy-judge\.ts$/,
    // By which rules a proxy of given policies would say that it decided, without the server.
    /^src\/app\/decision-rules\.ts$/,
    // What the agent needs of pki, without the X.509 libraries: an agent stands beside every workload.
    /^src\/pki\/light\.ts$/,
    // Types of what the server and the browser say to each other, without the messages of gRPC.
    /^src\/wire\/console\.ts$/,
    // Generated code has no doors; each file is one of the wire's own.
    /^src\/gen\//,
  ],
  shared: {
    '@grpc/grpc-js': {
      folders: ['src/api', 'src/agent', 'src/cli'],
      because:
        'the server, the agent (a server and a client) and the operator client each end a wire of their own',
    },
    jose: {
      folders: ['src/adapters/development', 'src/adapters/oidc'],
      because: 'the development issuer and the operators’ tokens are two adapters that never meet',
    },
    yaml: {
      folders: ['src/yaml', 'src/cli'],
      because: 'src/yaml reads it for all; the commands write it with -o yaml',
    },
    zod: {
      folders: ['src/yaml', 'src/app', 'src/domain'],
      because:
        'the configuration and the objects of the mesh are two languages, each with its own schema; src/yaml says for both where a text breaks it',
    },
    koffi: {
      folders: ['src/adapters/unix-peer', 'src/agent'],
      because: 'both local sockets ask the kernel who calls, and the agent imports no adapter',
    },
  },
};
