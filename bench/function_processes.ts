import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CREDENTIALS, REGION } from 'embedded-aws/aws/embedded_aws';
import type {
  FunctionConfiguration,
  Invocation,
  LambdaStandIn,
} from 'embedded-aws/lambda/lambda_stand_in';
import { build } from 'esbuild';
import { type Checks, print } from './figures.ts';
import type { Answer, Call } from './function_program.ts';

/** Lambda's own error. */
const EXITED = { errorType: 'Runtime.ExitError', errorMessage: 'the process ended' } as const;

/** What the invocations of one function have taken. */
interface FunctionUse {
  readonly invocations: number;
  /** From call to answer, the process's start included; all of them together. */
  readonly milliseconds: number;
  /** Of the longest. */
  readonly longestMilliseconds: number;
  readonly cpuMilliseconds: number;
  /** Processes that ended instead of answering, as one does that needs more heap than it has. */
  readonly deaths: number;
  /** Of the process that took most, Node itself included. */
  readonly peakBytes: number;
  /** MB. */
  readonly memorySize: number;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * Runs functions in processes of their own, where the embedded AWS runs them in threads of its own process: only so can be
 * told how much memory each takes. What they run is the same: the bundle and the layer as they are deployed.
 */
export class FunctionProcesses {
  /** By function name. */
  readonly use = new Map<string, FunctionUse>();
  readonly #endpointUrl: string;
  readonly #folder: string;
  readonly #all: FunctionProcess[] = [];
  readonly #idle = new Map<string, FunctionProcess[]>();

  private constructor(endpointUrl: string, folder: string) {
    this.#endpointUrl = endpointUrl;
    this.#folder = folder;
  }

  /** @param endpointUrl where functions find AWS. */
  static async start(endpointUrl: string): Promise<FunctionProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'function-processes-'));
    const processes = new FunctionProcesses(endpointUrl, folder);
    // Bundled, so that Node has no types to strip in there, which alone would take memory.
    await build({
      entryPoints: [join(import.meta.dirname, 'function_program.ts')],
      outfile: processes.#program,
      platform: 'node',
      format: 'esm',
      bundle: true,
    });
    return processes;
  }

  /** Takes the place of the stand-in's own environments. */
  takeOver(lambda: LambdaStandIn): void {
    lambda.invoke = (configuration, event) => this.invoke(configuration, event);
  }

  async invoke(configuration: FunctionConfiguration, event: string): Promise<Invocation> {
    const { functionName, timeout } = configuration;
    const idle = this.#idle.get(functionName) ?? [];
    this.#idle.set(functionName, idle);
    const running = idle.pop() ?? this.#start(configuration);
    const started = performance.now();
    const call = { requestId: randomUUID(), event, deadline: Date.now() + timeout * 1_000 };
    const answer = await running.invoke(call).catch(() => undefined);
    this.#account(configuration, answer, performance.now() - started);
    if (answer === undefined) return { error: EXITED, logTail: '' };
    idle.push(running);
    const { payload = 'null', error } = answer;
    return error === undefined ? { payload, logTail: '' } : { error, logTail: '' };
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((running) => running.close()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #account(
    { functionName, memorySize, timeout }: FunctionConfiguration,
    answer: Answer | undefined,
    milliseconds: number,
  ): void {
    const use = this.use.get(functionName);
    this.use.set(functionName, {
      invocations: (use?.invocations ?? 0) + 1,
      milliseconds: (use?.milliseconds ?? 0) + milliseconds,
      longestMilliseconds: Math.max(use?.longestMilliseconds ?? 0, milliseconds),
      cpuMilliseconds: (use?.cpuMilliseconds ?? 0) + (answer?.cpuMilliseconds ?? 0),
      peakBytes: Math.max(use?.peakBytes ?? 0, answer?.peakBytes ?? 0),
      deaths: (use?.deaths ?? 0) + (answer === undefined ? 1 : 0),
      memorySize,
      timeout,
    });
  }

  get #program(): string {
    return join(this.#folder, 'function_program.mjs');
  }

  #start(configuration: FunctionConfiguration): FunctionProcess {
    const { functionName, memorySize } = configuration;
    const running = new FunctionProcess(this.#program, configuration, {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL: this.#endpointUrl,
      AWS_CONFIG_FILE: join(this.#folder, 'no-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(this.#folder, 'no-credentials'),
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySize),
      TMPDIR: this.#folder,
      ...configuration.environment,
    });
    this.#all.push(running);
    return running;
  }
}

/** A function in a process of its own, with the heap that Lambda's runtime gives to Node. */
class FunctionProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;
  #dead = false;

  /** @param program the bundled `function_program.ts`. */
  constructor(
    program: string,
    { handlerFile, exportName, memorySize }: FunctionConfiguration,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#child = fork(program, [pathToFileURL(handlerFile).href, exportName], {
      env: environment,
      execArgv: heapOptions(memorySize),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.once('exit', () => {
      this.#dead = true;
    });
    this.#ready = this.#nextMessage();
  }

  /** Calls the handler. One call at a time. @throws Error when the process ends instead of answering. */
  async invoke(call: Call): Promise<Answer> {
    await this.#ready;
    const answer = this.#nextMessage();
    this.#child.send(call);
    return (await answer) as Answer;
  }

  async close(): Promise<void> {
    if (this.#dead) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #nextMessage(): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]: unknown[]) => message),
        once(this.#child, 'exit', { signal }).then(([code, killedBy]: unknown[]) => {
          throw new Error(`the function's process ended: ${String(killedBy ?? code)}`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }
}

/** As Lambda's runtime starts Node: a tenth of the memory for the young generation, the rest for the old one. */
function heapOptions(memorySize: number): string[] {
  const young = Math.floor(memorySize / 10);
  return [
    `--max-semi-space-size=${Math.floor(young / 2)}`,
    `--max-old-space-size=${memorySize - young}`,
  ];
}

const MB = 1_048_576;

/** Prints what each function has taken, and checks that its memory and its time are enough. */
export function printFunctions({ use }: FunctionProcesses, checks: Checks): void {
  print(
    '\nfunction                                    calls  seconds  longest   CPU s       peak memory',
  );
  for (const [name, taken] of use) {
    const peak = Math.ceil(taken.peakBytes / MB);
    const longest = taken.longestMilliseconds / 1_000;
    print(
      name.padEnd(44) +
        String(taken.invocations).padStart(5) +
        (taken.milliseconds / 1_000).toFixed(1).padStart(9) +
        longest.toFixed(1).padStart(9) +
        (taken.cpuMilliseconds / 1_000).toFixed(1).padStart(8) +
        `${peak} of ${taken.memorySize} MB`.padStart(18),
    );
    checks.equal(`the number of ${name}'s processes that died`, taken.deaths, 0);
    checks.atMost(`the memory of ${name}, MB`, peak, taken.memorySize);
    checks.atMost(`the longest call of ${name}, s`, longest, taken.timeout);
  }
  print(
    'Each function runs in processes of its own. Its memory is all that one has had in RAM, Node',
  );
  print('itself included; its seconds include its start and its waiting for the stand-ins.');
}

/** Prints the CPU time of the function that took most, beside that of a piece of work to compare with. */
export function printMostCpu(
  { use }: FunctionProcesses,
  work: { readonly name: string; readonly cpuMilliseconds: number },
): void {
  const [name, { cpuMilliseconds }] = [...use].reduce((a, b) =>
    b[1].cpuMilliseconds > a[1].cpuMilliseconds ? b : a,
  );
  const times = cpuMilliseconds / work.cpuMilliseconds;
  print(`Most CPU has ${name}: ${times.toFixed(1)} times that of ${work.name}.`);
}
