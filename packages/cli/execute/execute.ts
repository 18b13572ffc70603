import { randomUUID } from 'node:crypto';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { EXIT, exitStatusOf, type ExitStatus } from '../command_line/command.ts';
import {
  findOwner,
  findStackOutputs,
  pulumiOutputs,
  regionOf,
  requireOutput,
  type StackPorts,
} from '../command_line/deployed_stack.ts';
import { Screen, type ScreenOutput } from '../command_line/screen.ts';
import { servedStackOf } from '../command_line/served_stack.ts';
import { executionEnd, type ExecutionEnd } from '../executions/execution_end.ts';
import { nextLines, showEnd } from '../executions/execution_report.ts';
import { FEW_ITEMS } from '../executions/item_failures.ts';
import {
  consoleLink,
  createSfnClient,
  OUTPUT_OF,
  startExecution,
  watchCommand,
} from '../executions/start_execution.ts';
import { AWS_PACE, systemTiming } from '../executions/watch_execution.ts';
import { askOnTerminal, followExecution, type FollowPorts } from './follow_execution.ts';
import {
  type ExecuteOptions,
  parseExecuteOptions,
  repeatedOptions,
  type StartOptions,
} from './options.ts';

export interface ExecutePorts extends StackPorts, Omit<FollowPorts, 'outputs'> {
  readonly out: ScreenOutput;
  readonly messages: ScreenOutput;
  /** Speaks to Step Functions in this region. */
  readonly createClient: (region: string) => SFNClient;
  /** A name that no execution has had. */
  readonly newName: () => string;
}

/** `receipts execute`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  return await execute(argv, {
    out: stdout,
    messages: stderr,
    environment: process.env,
    pulumiOutputs,
    servedStack: servedStackOf(() => process.cwd(), process.env, stderr),
    createClient: createSfnClient,
    newName: () => `execute-${randomUUID()}`,
    timing: systemTiming,
    pace: AWS_PACE,
    lookingAtItems: FEW_ITEMS,
    signals: process,
    ...(stdin.isTTY && stderr.isTTY
      ? { ask: (question, signal) => askOnTerminal(stdin, stderr, question, signal) }
      : {}),
  });
}

/** @returns the exit status. */
export async function execute(argv: readonly string[], ports: ExecutePorts): Promise<number> {
  const { messages } = ports;
  let execution: Execution | undefined;
  const doing = (): string =>
    execution?.arn === undefined ? 'Starting the execution' : 'Watching the execution';
  const status = await exitStatusOf(doing, messages, async () => {
    execution = new Execution(parseExecuteOptions(argv, ports), ports);
    return await execution.run();
  });
  const arn = execution?.arn;
  if (status === EXIT.awsUnavailable && arn !== undefined) {
    messages.write(`The execution goes on at AWS. Watch it again:\n  ${watchCommand(arn)}\n`);
  }
  return status;
}

/** One execution, from its start to what is left of it on the screen. */
class Execution {
  readonly #options: ExecuteOptions;
  readonly #ports: ExecutePorts;
  readonly #screen: Screen;
  #arn: string | undefined;

  constructor(options: ExecuteOptions, ports: ExecutePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#screen = new Screen(options.json ? ports.messages : ports.out);
  }

  /** Undefined until it is started. */
  get arn(): string | undefined {
    return this.#arn;
  }

  async run(): Promise<ExitStatus> {
    if (this.#options.kind === 'watch') {
      await findOwner(this.#options.executionArn, this.#ports);
      this.#arn = this.#options.executionArn;
      return await this.#follow(this.#arn, false);
    }
    this.#arn = await this.#start(this.#options);
    return this.#options.wait ? await this.#follow(this.#arn, true) : EXIT.done;
  }

  async #start(options: StartOptions): Promise<string> {
    const { workflow, input, name: givenName } = options;
    if (options.arn !== undefined) await findOwner(options.arn, this.#ports);
    const stateMachineArn =
      options.arn ??
      requireOutput(await findStackOutputs(options.stack, this.#ports), OUTPUT_OF[workflow]);
    const sfn = this.#ports.createClient(regionOf(stateMachineArn));
    const newName = this.#ports.newName();
    try {
      const start = { stateMachineArn, givenName, newName, input };
      const arn = await startExecution(sfn, this.#screen, start);
      this.#introduce(arn, givenName !== undefined, options.wait);
      return arn;
    } finally {
      sfn.destroy();
    }
  }

  #introduce(executionArn: string, isNamed: boolean, wait: boolean): void {
    const link = consoleLink(executionArn, this.#ports.environment);
    // Who watches at a terminal has nothing to paste it into; a log may be all that is left of it later.
    const isWatched = wait && this.#screen.width !== undefined;
    this.#screen.line(`Started ${isWatched ? nameOf(executionArn) : executionArn}`);
    if (isNamed) {
      this.#screen.line('  (or found: AWS starts the same name with the same input once)');
    }
    if (link !== undefined) this.#screen.line(`  ${link}`);
    if (wait) return;
    this.#screen.line(`Watch it: ${watchCommand(executionArn)}`);
    this.#print({ execution_arn: executionArn, status: 'RUNNING', console_url: link ?? null });
  }

  async #follow(executionArn: string, justStarted: boolean): Promise<ExitStatus> {
    const sfn = this.#ports.createClient(regionOf(executionArn));
    try {
      const { execution, stopped } = await followExecution(
        sfn,
        executionArn,
        justStarted,
        this.#screen,
        { ...this.#ports, outputs: [this.#ports.out, this.#ports.messages] },
      );
      if (execution === undefined) return this.#leave(executionArn, stopped);
      const end = executionEnd(execution);
      showEnd(this.#screen, end);
      this.#screen.lines(this.#nextLines(end));
      this.#print(describeEnd(end));
      if (end.status === 'SUCCEEDED') return EXIT.done;
      return stopped && end.status === 'ABORTED' ? EXIT.interrupted : EXIT.failed;
    } finally {
      sfn.destroy();
    }
  }

  #nextLines(end: ExecutionEnd): string[] {
    const options = this.#options;
    const started: Partial<StartOptions> = options.kind === 'watch' ? {} : options;
    if (end.summary === undefined && ['FAILED', 'TIMED_OUT'].includes(end.status)) {
      return ['To see its states and their logs:', ofStack('console', started.stack)];
    }
    return nextLines(end, { stack: started.stack, options: repeatedOptions(started.input ?? {}) });
  }

  #leave(executionArn: string, stopped: boolean): ExitStatus {
    if (stopped) this.#screen.line('The execution is being stopped. See how it ends:');
    else this.#screen.line('The execution goes on. Watch it again:');
    this.#screen.line(`  ${watchCommand(executionArn)}`);
    if (!stopped) {
      this.#screen.line('Stop it:');
      this.#screen.line(`  aws stepfunctions stop-execution --execution-arn ${executionArn}`);
    }
    this.#print({ execution_arn: executionArn, status: 'RUNNING' });
    return EXIT.interrupted;
  }

  #print(result: object): void {
    if (this.#options.json) this.#ports.out.write(`${JSON.stringify(result)}\n`);
  }
}

function ofStack(command: string, stack: string | undefined): string {
  return `  npx receipts ${command}${stack === undefined ? '' : ` --stack ${stack}`}`;
}

function nameOf(arn: string): string {
  return arn.split(':').at(-1) ?? arn;
}

function describeEnd(end: ExecutionEnd): object {
  return {
    execution_arn: end.executionArn,
    status: end.status,
    started_at: end.startDate?.toISOString() ?? null,
    stopped_at: end.stopDate?.toISOString() ?? null,
    seconds: end.seconds,
    output: end.output,
    error: end.error ?? null,
    cause: end.cause ?? null,
  };
}
