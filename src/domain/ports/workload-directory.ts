export interface PodRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
  readonly nodeName: string;
  /** Kubernetes' pod phase: Pending, Running, Succeeded, Failed, Unknown. */
  readonly phase: string;
}

/** What the platform knows of its workloads. @throws CitadelError Unavailable when it cannot be asked. */
export interface WorkloadDirectory {
  getPod(namespace: string, name: string, signal: AbortSignal): Promise<PodRecord | undefined>;
  /** Whether a pod of this service account that has not ended runs on this node. */
  hasPodOnNode(query: NodePodQuery, signal: AbortSignal): Promise<boolean>;
}

export interface NodePodQuery {
  readonly nodeName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}
