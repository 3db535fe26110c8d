export const addresses = {
  web: ['10.77.1.2', 'fd77:1::2'],
  orders: ['10.77.2.2', 'fd77:2::2'],
  outside: ['10.77.1.1', 'fd77:1::1'],
} as const;

/** Two workloads under capture, and services that are called in each way. */
export const registry = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [${addresses.orders.map((address) => `"${address}"`).join(', ')}]
  proxy: capture
  ports: [{port: 8080}, {port: 9000, protocol: tcp, application: "[::1]:9000"}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web-1, labels: {app: web}}
spec:
  serviceAccount: web
  addresses: [${addresses.web.map((address) => `"${address}"`).join(', ')}]
  proxy: capture
  ports: [{port: 8080}]
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  addresses: [10.96.0.10, "fd00:96::10"]
  ports: [{port: 80, targetPort: 8080}, {port: 7, targetPort: 7070, protocol: tcp}]
  selector: {app: orders}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: web}
spec:
  addresses: [10.96.0.11, "fd00:96::11"]
  ports: [{port: 80, targetPort: 8080}]
  selector: {app: web}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders-headless}
spec:
  ports: [{port: 8080}, {port: 9000, protocol: tcp}]
  selector: {app: orders}
`;

export const peers = (mode: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: ${mode}}}
`;

/** For one of the ports that the registry does not declare, and for whoever calls it. */
export const deniedToAll = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: one-port}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules: [{to: [{operation: {ports: ["7070"]}}]}]
`;

/** For a port that the registry does not declare. */
export const denied = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: nobody-there}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules: [{to: [{operation: {ports: ["7070"]}}], from: [{source: {principals: ["example.org/ns/shop/sa/web"]}}]}]
`;
