import type { Service } from '../http/service.ts';
import { awsJsonService } from './api/aws_json_service.ts';
import { knownExecution } from './api/execution_operations.ts';
import { describeExecution, type ExecutionDescription } from './api/execution_view.ts';
import { requireName } from './api/start_request.ts';
import { validatedDefinition } from './definition/asl_validation.ts';
import { compileBlock } from './definition/compiled_block.ts';
import { ExecutionStore } from './execution/execution_store.ts';
import { Launcher } from './execution/launcher.ts';
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
  readonly #ports: StepFunctionsPorts;
  readonly #store = new ExecutionStore();
  readonly #launcher: Launcher;

  constructor(ports: StepFunctionsPorts) {
    this.#ports = ports;
    this.#launcher = new Launcher(ports, this.#store);
    this.handle = awsJsonService(this.#store, this.#launcher, ports.newId);
  }

  /**
   * Creates a state machine, or replaces the one of this name: executions that run keep the definition that
   * they began with.
   *
   * @returns its ARN.
   * @throws InvalidDefinition with all that is wrong in the definition or can't run here.
   */
  createStateMachine(args: StateMachineArgs): string {
    requireName(args.name);
    const arn = this.#launcher.arns.stateMachine(args.name);
    const definition = validatedDefinition(args.definition);
    this.#store.addMachine({
      arn,
      name: args.name,
      roleArn: args.roleArn,
      definitionText: JSON.stringify(args.definition),
      block: compileBlock(definition, this.#ports.retryDelay ?? ((milliseconds) => milliseconds)),
      creationDate: this.#ports.clock(),
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
    const execution = knownExecution(this.#store, arn);
    await execution.ended;
    return describeExecution(execution);
  }

  /** Aborts what runs, and resolves when nothing runs any more. */
  async close(): Promise<void> {
    await this.#launcher.close();
  }
}
