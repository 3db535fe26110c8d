/** What the agent says of itself in its reports. */
export const agentVersion = '0.1.0';
