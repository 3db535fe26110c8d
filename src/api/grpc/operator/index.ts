export { createOperatorService, type OperatorServices, type OperatorStatus } from './service.ts';
export { type OperatorSocket, type OperatorSocketOptions, startOperatorSocket } from './socket.ts';
