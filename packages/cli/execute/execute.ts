import type { SFNClient } from '@aws-sdk/client-sfn';
import { CommandLineEnd, WrongArgument } from '../command_line/arguments.ts';
import { describeAwsProblem, describeRefusal } from '../command_line/aws_problem.ts';
import { EXIT, type ExitStatus } from '../command_line/command.ts';
import {
  findStackOutputs,
  regionOf,
  requireOutput,
  type StackPorts,
} from '../command_line/deployed_stack.ts';
import { Screen, type ScreenOutput } from '../command_line/screen.ts';
import { executionEnd, type ExecutionEnd, showEnd } from '../executions/execution_end.ts';
import { consoleLink, OUTPUT_OF, startExecution } from '../executions/start_execution.ts';
import { followExecution, type FollowPorts } from './follow_execution.ts';
import { type ExecuteOptions, parseOptions, type StartOptions } from './options.ts';

export interface ExecutePorts extends StackPorts, Omit<FollowPorts, 'outputs'> {
  readonly out: ScreenOutput;
  readonly err: ScreenOutput;
  /** Speaks to Step Functions in this region. */
  readonly createClient: (region: string) => SFNClient;
  /** A name that no execution has had. */
  readonly newName: () => string;
}

/** @returns the exit status. */
export async function execute(argv: readonly string[], ports: ExecutePorts): Promise<number> {
  const { out, err } = ports;
  try {
    const options = parseOptions(argv, {
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
    });
    return await new Execution(options, ports).run();
  } catch (error) {
    if (error instanceof CommandLineEnd) return error.exitStatus;
    if (!(error instanceof WrongArgument)) throw error;
    err.write(`${error.message}\n`);
    return EXIT.wrongArguments;
  }
}

/** One execution, from its start to what is left of it on the screen. */
class Execution {
  readonly #options: ExecuteOptions;
  readonly #ports: ExecutePorts;
  readonly #screen: Screen;
  #executionArn: string | undefined;

  constructor(options: ExecuteOptions, ports: ExecutePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#screen = new Screen(options.json ? ports.err : ports.out);
  }

  /** @throws WrongArgument */
  async run(): Promise<ExitStatus> {
    try {
      if (this.#options.kind === 'watch') return await this.#follow(this.#options.executionArn);
      const executionArn = await this.#start(this.#options);
      return this.#options.wait ? await this.#follow(executionArn) : EXIT.done;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #start(options: StartOptions): Promise<string> {
    const { workflow, input, name: givenName } = options;
    const stateMachineArn =
      options.arn ??
      requireOutput(await findStackOutputs(options.stack, this.#ports), OUTPUT_OF[workflow]);
    const sfn = this.#ports.createClient(regionOf(stateMachineArn));
    const newName = this.#ports.newName();
    this.#screen.line(`Starting ${stateMachineArn}`);
    this.#screen.line(`  with ${JSON.stringify(input)}`);
    try {
      const start = { stateMachineArn, givenName, newName, input };
      this.#executionArn = await startExecution(sfn, start);
    } finally {
      sfn.destroy();
    }
    this.#introduce(this.#executionArn, givenName !== undefined, options.wait);
    return this.#executionArn;
  }

  #introduce(executionArn: string, isNamed: boolean, wait: boolean): void {
    const link = consoleLink(executionArn, this.#ports.environment);
    this.#screen.line(`Started ${executionArn}`);
    if (isNamed) {
      this.#screen.line('  (or found: AWS starts the same name with the same input once)');
    }
    if (link !== undefined) this.#screen.line(`  ${link}`);
    if (wait) return;
    this.#screen.line(`Watch it: ${watchCommand(executionArn)}`);
    this.#print({ execution_arn: executionArn, status: 'RUNNING', console_url: link ?? null });
  }

  async #follow(executionArn: string): Promise<ExitStatus> {
    const justStarted = this.#executionArn !== undefined;
    this.#executionArn = executionArn;
    const sfn = this.#ports.createClient(regionOf(executionArn));
    try {
      const { out, err } = this.#ports;
      const ports = { ...this.#ports, outputs: [out, err] };
      const { execution, stopped } = await followExecution(
        sfn,
        executionArn,
        justStarted,
        this.#screen,
        ports,
      );
      if (execution === undefined) return this.#leave(executionArn, stopped);
      const end = executionEnd(execution);
      showEnd(this.#screen, end);
      this.#print(describeEnd(end));
      if (end.status === 'SUCCEEDED') return EXIT.done;
      return stopped && end.status === 'ABORTED' ? EXIT.interrupted : EXIT.failed;
    } finally {
      sfn.destroy();
    }
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

  /** @throws what is neither AWS's nor the arguments' fault. */
  #fail(error: unknown): ExitStatus {
    const arn = this.#executionArn;
    const refusal = describeRefusal(error);
    if (refusal !== undefined) throw new WrongArgument(refusal);
    const problem = describeAwsProblem(
      error,
      arn === undefined ? 'Starting the execution' : 'Watching the execution',
    );
    if (problem === undefined) throw error;
    const { err } = this.#ports;
    err.write(`${problem}\n`);
    if (arn !== undefined) {
      err.write(`The execution goes on at AWS. Watch it again:\n  ${watchCommand(arn)}\n`);
    }
    return EXIT.awsUnavailable;
  }

  #print(result: object): void {
    if (this.#options.json) this.#ports.out.write(`${JSON.stringify(result)}\n`);
  }
}

function watchCommand(executionArn: string): string {
  return `npm run execute -- --watch ${executionArn}`;
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
