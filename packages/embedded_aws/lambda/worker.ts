import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Call, FunctionError, WorkerSettings } from './function_environment.ts';

/**
 * The inside of a function's environment: a worker that loads the handler's bundle, as Lambda's runtime does,
 * and calls it for one event after the other.
 */

type Handler = (event: unknown, context: Readonly<Record<string, unknown>>) => unknown;

const settings = workerData as WorkerSettings;
if (parentPort === null) throw new Error('this file runs as a worker only');
const port = parentPort;

const loaded = await load();
port.postMessage(
  loaded.error === undefined ? { kind: 'ready' } : { kind: 'broken', error: loaded.error },
);
port.on('message', (call: Call) => {
  void answer(call);
});

async function load(): Promise<{ handler?: Handler; error?: FunctionError }> {
  try {
    const module = (await import(settings.handlerUrl)) as Record<string, unknown>;
    const handler = module[settings.exportName];
    if (typeof handler !== 'function') {
      throw Object.assign(new Error(`${settings.exportName} is undefined or not exported`), {
        name: 'Runtime.HandlerNotFound',
      });
    }
    return { handler: handler as Handler };
  } catch (error) {
    return { error: describe(error) };
  }
}

async function answer({ requestId, event, deadline }: Call): Promise<void> {
  try {
    const result = await loaded.handler?.(JSON.parse(event), {
      awsRequestId: requestId,
      functionName: settings.functionName,
      functionVersion: '$LATEST',
      invokedFunctionArn: settings.functionArn,
      memoryLimitInMB: String(settings.memorySize),
      getRemainingTimeInMillis: () => deadline - Date.now(),
    });
    // A handler that returns nothing answers null.
    await post({ kind: 'answer', requestId, payload: JSON.stringify(result ?? null) });
  } catch (error) {
    await post({ kind: 'answer', requestId, error: describe(error) });
  }
}

async function post(message: Answer): Promise<void> {
  // What the handler has written takes another way out; it belongs to this invocation's log, so it goes first.
  await Promise.all([process.stdout, process.stderr].map(written));
  port.postMessage(message);
}

async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}

/** As Lambda's Node.js runtime describes what a handler throws. */
function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}
