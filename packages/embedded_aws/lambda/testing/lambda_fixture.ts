import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FunctionConfiguration, type Invocation, LambdaStandIn } from '../lambda_stand_in.ts';

export interface LambdaFixture {
  readonly standIn: LambdaStandIn;
  /** Functions' `/tmp`. */
  readonly folder: string;
  /** What functions have written: their names and the lines. */
  readonly logs: readonly (readonly [functionName: string, line: string])[];
  /** Deploys a function of this source. */
  readonly create: (
    source: string,
    changes?: Partial<FunctionConfiguration>,
  ) => Promise<FunctionConfiguration>;
  readonly invoke: (configuration: FunctionConfiguration, event?: unknown) => Promise<Invocation>;
  /** The first line that starts so, once a function has written it. */
  readonly logged: (beginning: string) => Promise<string>;
}

/** A stand-in whose functions are small files; it and they are gone after the test. */
export async function startLambda(): Promise<LambdaFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-'));
  const logs: (readonly [string, string])[] = [];
  const listeners = new Set<() => void>();
  const standIn = new LambdaStandIn({
    region: 'eu-central-1',
    endpointUrl: 'http://127.0.0.1:9',
    temporaryFolder: folder,
    newId: randomUUID,
    onLog: (functionName, line) => {
      logs.push([functionName, line]);
      for (const listener of listeners) listener();
    },
  });
  onTestFinished(async () => {
    await standIn.close();
    await rm(folder, { recursive: true });
  });
  return {
    standIn,
    folder,
    logs,
    create: async (source, changes = {}) => {
      const functionName = changes.functionName ?? 'work';
      await mkdir(join(folder, functionName), { recursive: true });
      const handlerFile = join(folder, functionName, 'handler.mjs');
      await writeFile(handlerFile, source);
      const configuration = {
        functionName,
        functionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
        roleArn: 'arn:aws:iam::000000000000:role/work',
        handlerFile,
        exportName: 'handler',
        memorySize: 128,
        timeout: 30,
        environment: {},
        ...changes,
      };
      standIn.createFunction(configuration);
      return configuration;
    },
    invoke: (configuration, event = {}) => standIn.invoke(configuration, JSON.stringify(event)),
    logged: (beginning) =>
      new Promise((resolve) => {
        const look = (): void => {
          const line = logs.find(([, text]) => text.startsWith(beginning))?.[1];
          if (line === undefined) return;
          listeners.delete(look);
          resolve(line);
        };
        listeners.add(look);
        look();
      }),
  };
}

/** What the function answered. @throws when it failed. */
export function answerOf({ payload, error }: Invocation): unknown {
  if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`);
  return JSON.parse(payload);
}
