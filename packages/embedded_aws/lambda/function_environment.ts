import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FunctionConfiguration } from './lambda_stand_in.ts';

export type InvocationResult =
  | { readonly payload: string; readonly error?: never }
  | { readonly error: FunctionError; readonly payload?: never };

/** What a function runs in: one worker with its own environment variables and memory limit. */
export class FunctionEnvironment {
  /** Unique; the environment's requests to AWS are signed with it. */
  readonly accessKeyId: string;
  readonly functionName: string;
  readonly #worker: Worker;
  readonly #ready: Promise<FunctionError | undefined>;
  #settle: ((result: InvocationResult) => void) | undefined;
  #dead = false;

  constructor(
    configuration: FunctionConfiguration,
    accessKeyId: string,
    variables: Readonly<Record<string, string>>,
    onLog: (line: string) => void,
  ) {
    this.accessKeyId = accessKeyId;
    this.functionName = configuration.functionName;
    const settings: WorkerSettings = {
      handlerUrl: pathToFileURL(configuration.handlerFile).href,
      exportName: configuration.exportName,
      functionName: configuration.functionName,
      functionArn: configuration.functionArn,
      memorySize: configuration.memorySize,
    };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: configuration.functionName,
      workerData: settings,
      env: { ...variables, ...configuration.environment },
      resourceLimits: { maxOldGenerationSizeMb: configuration.memorySize },
      stdout: true,
      stderr: true,
    });
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      createInterface({ input: stream }).on('line', onLog);
    }
    this.#ready = this.#waitUntilReady();
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'answer') this.#finish(resultOf(message));
    });
    this.#worker.on('error', (error: Error & { readonly code?: string }) => {
      this.#die(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? {
              errorType: 'Runtime.OutOfMemory',
              errorMessage: 'Error: Runtime exited: out of memory',
            }
          : exited('unhandled error'),
      );
    });
    this.#worker.on('exit', (code) => {
      this.#die(exited(`exit status ${code}`));
    });
  }

  /** Whether it can serve no more. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Calls the handler. One call at a time. */
  async invoke(call: Call, timeoutSeconds: number): Promise<InvocationResult> {
    return await new Promise<InvocationResult>((resolve) => {
      // Loading the handler counts too: one that never gets there must not wait for ever.
      const timer = setTimeout(() => {
        this.#finish({ error: timedOut(call.requestId, timeoutSeconds) });
        this.kill();
      }, timeoutSeconds * 1_000);
      this.#settle = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      void this.#callWhenReady(call);
    });
  }

  async #callWhenReady(call: Call): Promise<void> {
    const broken = await this.#ready;
    if (broken !== undefined) {
      this.#finish({ error: broken });
      this.kill();
    } else if (this.#dead) {
      this.#finish({ error: exited('killed') });
    } else {
      this.#worker.postMessage(call);
    }
  }

  /** Ends it at once, in the middle of whatever it does, as when a machine dies. */
  kill(): void {
    this.#die(exited('signal: killed'));
  }

  /** Ends it, and waits until it has. */
  async close(): Promise<void> {
    this.#die(exited('signal: terminated'));
    await this.#worker.terminate();
  }

  async #waitUntilReady(): Promise<FunctionError | undefined> {
    const died = new Promise<FunctionError>((resolve) => {
      this.#worker.once('exit', () => {
        resolve(exited('exit during initialization'));
      });
    });
    const first = once(this.#worker, 'message').then(([message]) => {
      const { kind } = message as FromWorker;
      return kind === 'broken' ? (message as { error: FunctionError }).error : undefined;
    });
    return await Promise.race([first.catch(() => exited('unhandled error')), died]);
  }

  #finish(result: InvocationResult): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(result);
  }

  #die(error: FunctionError): void {
    this.#finish({ error });
    if (this.#dead) return;
    this.#dead = true;
    void this.#worker.terminate();
  }
}

function resultOf({ payload, error }: Answer): InvocationResult {
  return error === undefined ? { payload: payload ?? 'null' } : { error };
}

function exited(how: string): FunctionError {
  return {
    errorType: 'Runtime.ExitError',
    errorMessage: `Error: Runtime exited with error: ${how}`,
  };
}

function timedOut(requestId: string, seconds: number): FunctionError {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
  };
}

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
