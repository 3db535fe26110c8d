export { Complaints } from './complaints.ts';
export { type Fleet, type FleetAgent, type FleetMember, type FleetOptions, startFleet } from './fleet.ts';
