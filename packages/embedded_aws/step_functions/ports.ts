/** Lambda's own answer to an invocation. */
export interface InvocationAnswer {
  /** The function's result; with `functionError`, `{errorType, errorMessage, trace?}`. */
  readonly payload: unknown;
  readonly functionError?: 'Unhandled' | 'Handled';
}

/** What the stand-in needs from outside. */
export interface StepFunctionsPorts {
  readonly region: string;
  readonly accountId: string;
  /**
   * Rejects with an Error whose name is that of the service's error (`Lambda.TooManyRequestsException`, …)
   * when the function could not be run at all. `signal` says that nobody waits for the answer any more.
   */
  readonly invokeLambda: (
    functionArn: string,
    payload: unknown,
    signal: AbortSignal,
  ) => Promise<InvocationAnswer>;
  /** S3, for the ItemReader and the ResultWriter of a distributed Map. */
  readonly objects: {
    getObject(bucket: string, key: string): { readonly body: Buffer } | undefined;
    /** Throws for an unknown bucket. */
    putObject(
      bucket: string,
      key: string,
      body: Buffer,
      options: { readonly contentType?: string },
    ): void;
  };
  /**
   * Called before each call of AWS that an execution makes under its state machine's role. It throws an Error, whose
   * message is the cause that the state fails with, when the role does not allow the call.
   *
   * @default every role may do everything
   */
  readonly authorize?: (roleArn: string, action: string, resource: string) => void;
  readonly clock: () => Date;
  /** A UUID that was not given before. */
  readonly newId: () => string;
  /**
   * Changes the wait before a retry, milliseconds, for runs in a hurry.
   *
   * @default the wait itself
   */
  readonly retryDelay?: (milliseconds: number) => number;
  /**
   * Resolves after so many milliseconds, and rejects when `signal` is aborted before: for timeouts and retries.
   *
   * @default Node's timers
   */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /**
   * From 0 up to 1, for the jitter of retries.
   *
   * @default Math.random
   */
  readonly random?: () => number;
}
