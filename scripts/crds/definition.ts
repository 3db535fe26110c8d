import { z } from 'zod';
import { type PolicyKind, policyJsonSchema } from '../../src/domain/policy/index.ts';
import { additions } from './rules.ts';
import { addRule, type Schema, schemaAt, structural } from './structural.ts';

interface Names {
  readonly plural: string;
  readonly singular: string;
  readonly short: string;
  /** Shown by `kubectl get`, beside the name. */
  readonly column?: { readonly name: string; readonly path: string };
}

/** Istio's own names, so that its tools and scripts find what they know. */
export const names: Readonly<Record<PolicyKind, Names>> = {
  AuthorizationPolicy: {
    plural: 'authorizationpolicies',
    singular: 'authorizationpolicy',
    short: 'ap',
    column: { name: 'Action', path: '.spec.action' },
  },
  PeerAuthentication: {
    plural: 'peerauthentications',
    singular: 'peerauthentication',
    short: 'pa',
    column: { name: 'Mode', path: '.spec.mtls.mode' },
  },
  RequestAuthentication: { plural: 'requestauthentications', singular: 'requestauthentication', short: 'ra' },
};

const group = 'security.istio.io';

/** meta/v1 Condition, as its own documentation bounds it. */
const status = {
  type: 'object',
  // Other controllers of these kinds write their own.
  'x-kubernetes-preserve-unknown-fields': true,
  properties: {
    observedGeneration: { type: 'integer', format: 'int64' },
    conditions: {
      type: 'array',
      maxItems: 32,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status'],
        properties: {
          type: { type: 'string', minLength: 1, maxLength: 316 },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
          lastTransitionTime: { type: 'string', format: 'date-time' },
          reason: { type: 'string', maxLength: 1024 },
          message: { type: 'string', maxLength: 32_768 },
        },
      },
    },
  },
};

function specOf(kind: PolicyKind): Schema {
  const whole = z.looseObject({ properties: z.looseObject({ spec: z.unknown() }) });
  const spec = structural(whole.parse(policyJsonSchema(kind)).properties.spec);
  for (const [path, { rules = [], ...limits }] of Object.entries(additions[kind])) {
    const schema = schemaAt(spec, path);
    Object.assign(schema, limits);
    if (rules.length > 0) addRule(schema, ...rules);
  }
  return spec;
}

/** The CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind of policy. */
export function definitionOf(kind: PolicyKind): object {
  const { plural, singular, short, column } = names[kind];
  const columns = [
    ...(column ? [{ name: column.name, type: 'string', jsonPath: column.path }] : []),
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
      description: 'whether it could be read; the condition’s message says why not',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
  const version = (name: string) => ({
    name,
    served: true,
    storage: name === 'v1',
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: specOf(kind), status } } },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/part-of': 'citadel' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [short],
        categories: ['istio-io', 'security-istio-io'],
      },
      // The same objects in both: nothing needs converting.
      conversion: { strategy: 'None' },
      versions: [version('v1'), version('v1beta1')],
    },
  };
}
