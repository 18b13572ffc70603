/** To the process of a function: handle this event. */
export interface Call {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

/** From it: what the handler answered, and what it has taken. */
export interface Answer {
  /** JSON; missing when the handler threw. */
  readonly payload?: string;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
  /** Of this call, on all cores. */
  readonly cpuMilliseconds: number;
  /** The most that the process has had in memory since it began, Node itself included. */
  readonly peakBytes: number;
}
