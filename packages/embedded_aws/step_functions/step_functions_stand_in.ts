import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../http/service.ts';
import { describeExecution, type ExecutionDescription } from './api/execution_view.ts';
import { requireName } from './api/request.ts';
import { knownExecution, stepFunctionsApi } from './api/step_functions_api.ts';
import { compileDefinition } from './definition/compile_definition.ts';
import { statesArn } from './execution/execution.ts';
import { Executions } from './execution/executions.ts';
import type { StepFunctionsPorts } from './ports.ts';

export interface StateMachineArgs {
  readonly name: string;
  readonly roleArn: string;
  readonly type: 'STANDARD';
  /** The definition in the Amazon States Language, with JSONPath. */
  readonly definition: object;
  /**
   * As DescribeStateMachine shall answer with it.
   *
   * @default logging is off
   */
  readonly loggingConfiguration?: object;
}

/**
 * Step Functions in this process, for state machines of type STANDARD: the AWS API with its own answers and
 * errors, its quotas, histories, and distributed Maps with their Map Runs.
 */
export class StepFunctionsStandIn {
  /** The AWS JSON 1.0 protocol. */
  readonly handle: Service;
  readonly #executions: Executions;

  constructor(ports: StepFunctionsPorts) {
    this.#executions = new Executions({
      authorize: () => undefined,
      retryDelay: (milliseconds) => milliseconds,
      wait,
      random: Math.random,
      ...ports,
    });
    this.handle = stepFunctionsApi(this.#executions);
  }

  /**
   * Creates a state machine, or replaces the one of this name: executions that run keep the definition that
   * they began with.
   *
   * @returns its ARN.
   * @throws InvalidDefinition with what is wrong in the definition or can't run here.
   */
  createStateMachine({ name, roleArn, definition, ...args }: StateMachineArgs): string {
    requireName(name);
    const { machines, ports } = this.#executions;
    const arn = statesArn(ports, 'stateMachine', name);
    machines.set(arn, {
      arn,
      name,
      roleArn,
      definitionText: JSON.stringify(definition),
      block: compileDefinition(definition),
      creationDate: ports.clock(),
      loggingConfiguration: args.loggingConfiguration ?? {
        level: 'OFF',
        includeExecutionData: false,
      },
    });
    return arn;
  }

  /**
   * @returns what DescribeExecution answers once the execution has ended, however it did.
   * @throws ApiError ExecutionDoesNotExist
   */
  async waitForExecution(arn: string): Promise<ExecutionDescription> {
    const execution = knownExecution(arn, this.#executions);
    await execution.ended;
    return describeExecution(execution);
  }

  /** Aborts what runs, and resolves when nothing runs any more. */
  async close(): Promise<void> {
    await this.#executions.close();
  }
}

/** Node's timers take 32 bits of milliseconds; a longer wait (AWS allows three years) is made of several. */
const LONGEST_DELAY = 2 ** 31 - 1;

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let left = milliseconds; left > 0; left -= LONGEST_DELAY) {
    await delay(Math.min(left, LONGEST_DELAY), undefined, { signal });
  }
}
