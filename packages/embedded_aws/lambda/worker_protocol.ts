/** What a function's environment is started with. */
export interface WorkerSettings {
  readonly handlerUrl: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** MB. */
  readonly memorySize: number;
}

/** To the worker: handle this event. */
export interface Call {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

/** What Lambda answers for a function that failed. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** From the worker. */
export interface Answer {
  readonly kind: 'answer';
  readonly requestId: string;
  /** JSON; missing when the handler threw. */
  readonly payload?: string;
  readonly error?: FunctionError;
}

export type FromWorker =
  Answer | { readonly kind: 'ready' } | { readonly kind: 'broken'; readonly error: FunctionError };
