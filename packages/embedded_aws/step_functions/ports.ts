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
   * Asked before each call that an execution makes: all of them are made under its state machine's role. It throws an Error,
   * whose message is the cause that the state fails with, when the role does not allow it.
   *
   * @default every role may do everything
   */
  readonly authorize?: (roleArn: string, action: string, resource: string) => void;
  readonly clock: () => Date;
  /** A UUID that was not given before. */
  readonly newId: () => string;
  /**
   * What the wait of so many milliseconds between two attempts shall be, for tests in a hurry.
   *
   * @default the wait itself
   */
  readonly retryDelay?: (milliseconds: number) => number;
}
