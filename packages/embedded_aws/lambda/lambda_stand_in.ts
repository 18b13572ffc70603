import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SigningKey } from '../aws/signature.ts';
import type { Service } from '../http/service.ts';
import {
  FunctionEnvironment,
  type FunctionError,
  type InvocationResult,
} from './function_environment.ts';
import { answerLambda } from './lambda_operations.ts';

export interface LambdaSettings {
  readonly region: string;
  /** Where functions find AWS: the embedded one. */
  readonly endpointUrl: string;
  /** Functions' `/tmp`. */
  readonly temporaryFolder: string;
  readonly newId: () => string;
  readonly onLog?: (functionName: string, line: string) => void;
}

/** A finished invocation. */
export type Invocation = InvocationResult & {
  /** The last 4 KB of what the function wrote. */
  readonly logTail: string;
};

/** Bytes of an invocation's log that Lambda hands back. */
const LOG_TAIL = 4 * 1_024;

/**
 * Lambda: functions run their real bundles in environments of their own, which stay warm and are reused, the one
 * that was used last first.
 */
export class LambdaStandIn {
  readonly #settings: LambdaSettings;
  readonly #functions = new Map<string, FunctionConfiguration>();
  readonly #idle = new Map<string, FunctionEnvironment[]>();
  readonly #environments = new Map<string, FunctionEnvironment>();
  readonly #activity = new Map<string, { invocations: number; milliseconds: number }>();
  #closed = false;

  readonly handle: Service = (request) => answerLambda(this, request);

  constructor(settings: LambdaSettings) {
    this.#settings = settings;
  }

  createFunction(configuration: FunctionConfiguration): void {
    this.#functions.set(configuration.functionName, configuration);
  }

  /** By name, ARN or partial ARN, with or without a version. */
  find(nameOrArn: string): FunctionConfiguration | undefined {
    const name = /(?:^|:function:)([\w-]+)(?::[\w$-]+)?$/.exec(nameOrArn)?.[1];
    return name === undefined ? undefined : this.#functions.get(name);
  }

  /** Which function signs its requests with this key. */
  callerOf(accessKeyId: string): FunctionConfiguration | undefined {
    const environment = this.#environments.get(accessKeyId);
    return environment === undefined ? undefined : this.#functions.get(environment.functionName);
  }

  /** What the environment with this key signs with; undefined once it is gone. */
  keyOf(accessKeyId: string): SigningKey | undefined {
    return this.#environments.get(accessKeyId)?.key;
  }

  /** Kills the environment that signs its requests with this key. */
  kill(accessKeyId: string): void {
    this.#environments.get(accessKeyId)?.kill();
  }

  /** How often each function ran and for how long together. */
  get activity(): ReadonlyMap<
    string,
    { readonly invocations: number; readonly milliseconds: number }
  > {
    return this.#activity;
  }

  /** How many environments are alive. */
  get environments(): number {
    return [...this.#environments.values()].filter(({ dead }) => !dead).length;
  }

  /** @throws RequestTooLarge; whatever becomes of the function is an answer. */
  async invoke(configuration: FunctionConfiguration, event: string): Promise<Invocation> {
    checkPayload(event);
    const { functionName, timeout } = configuration;
    const requestId = this.#settings.newId();
    const { environment, tail } = this.#take(configuration);
    const started = performance.now();
    const result = await environment.invoke(
      { requestId, event, deadline: Date.now() + timeout * 1_000 },
      timeout,
    );
    this.#account(functionName, performance.now() - started);
    this.#give(environment);
    const oversized =
      result.payload !== undefined && Buffer.byteLength(result.payload) > PAYLOAD_LIMIT;
    return { ...(oversized ? { error: tooLarge(result.payload) } : result), logTail: tail() };
  }

  /** Ends all environments. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#environments.values()].map((environment) => environment.close()));
    this.#environments.clear();
  }

  readonly #tails = new Map<string, string[]>();

  #take(configuration: FunctionConfiguration): {
    environment: FunctionEnvironment;
    tail: () => string;
  } {
    if (this.#closed) throw new Error('the embedded AWS is closed');
    const idle = this.#idle.get(configuration.functionName) ?? [];
    let environment = idle.pop();
    while (environment?.dead === true) {
      this.#forget(environment);
      environment = idle.pop();
    }
    environment ??= this.#start(configuration);
    const lines: string[] = [];
    this.#tails.set(environment.accessKeyId, lines);
    return { environment, tail: () => lastBytes(lines.join('\n'), LOG_TAIL) };
  }

  #start(configuration: FunctionConfiguration): FunctionEnvironment {
    const { region, endpointUrl, temporaryFolder, newId, onLog } = this.#settings;
    const accessKeyId = `ASIA${newId().replaceAll('-', '').slice(0, 16).toUpperCase()}`;
    // Temporary credentials of the environment's own, as Lambda gives them out.
    const key = {
      secretAccessKey: randomBytes(30).toString('base64url'),
      sessionToken: randomBytes(60).toString('base64url'),
    };
    const environment = new FunctionEnvironment(
      configuration,
      { accessKeyId, ...key },
      {
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
        AWS_SESSION_TOKEN: key.sessionToken,
        AWS_ENDPOINT_URL: endpointUrl,
        // A person's own AWS configuration has no say here.
        AWS_CONFIG_FILE: join(temporaryFolder, 'no-config'),
        AWS_SHARED_CREDENTIALS_FILE: join(temporaryFolder, 'no-credentials'),
        TMPDIR: temporaryFolder,
        AWS_LAMBDA_FUNCTION_NAME: configuration.functionName,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.memorySize),
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        TZ: ':UTC',
      },
      (line) => {
        this.#tails.get(accessKeyId)?.push(line);
        onLog?.(configuration.functionName, line);
      },
    );
    this.#environments.set(accessKeyId, environment);
    return environment;
  }

  #give(environment: FunctionEnvironment): void {
    if (environment.dead) {
      this.#forget(environment);
      return;
    }
    const idle = this.#idle.get(environment.functionName) ?? [];
    idle.push(environment);
    this.#idle.set(environment.functionName, idle);
  }

  #forget({ accessKeyId }: FunctionEnvironment): void {
    this.#environments.delete(accessKeyId);
    this.#tails.delete(accessKeyId);
  }

  #account(functionName: string, milliseconds: number): void {
    const activity = this.#activity.get(functionName) ?? { invocations: 0, milliseconds: 0 };
    activity.invocations++;
    activity.milliseconds += milliseconds;
    this.#activity.set(functionName, activity);
  }
}

/** The end of a text in UTF-8, no character cut in two. */
function lastBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  let from = Math.max(0, bytes.length - limit);
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  return bytes.toString('utf8', from);
}

function tooLarge(payload: string): FunctionError {
  return {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT} bytes); it has ${Buffer.byteLength(payload)}`,
  };
}

/** A function as it is deployed. */
export interface FunctionConfiguration {
  readonly functionName: string;
  readonly functionArn: string;
  readonly roleArn: string;
  readonly handlerFile: string;
  readonly exportName: string;
  /** MB. */
  readonly memorySize: number;
  /** Seconds. */
  readonly timeout: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** Bytes of a synchronous invocation's payload, both ways (docs/data_model.md §4). */
export const PAYLOAD_LIMIT = 6 * 1_024 * 1_024;

/** Thrown for an event past the limit; its name is Lambda's. */
export class RequestTooLarge extends Error {
  override readonly name = 'RequestTooLargeException';
}

/** @throws RequestTooLarge */
export function checkPayload(event: string): void {
  if (Buffer.byteLength(event) > PAYLOAD_LIMIT) {
    throw new RequestTooLarge(`the payload is over ${PAYLOAD_LIMIT} bytes`);
  }
}
