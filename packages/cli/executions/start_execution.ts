import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Screen } from '../command_line/screen.ts';
import { consoleHost } from '../../../components/aws_console.ts';
import { WrongArgument } from '../command_line/arguments.ts';
import { type OutputName, regionOf } from '../command_line/deployed_stack.ts';

export interface ExecutionStart {
  readonly stateMachineArn: string;
  /** What the user called it. */
  readonly givenName: string | undefined;
  /** For an execution that the user did not name; never used before. */
  readonly newName: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * Starts an execution, and says so. One of the same name and input that runs already is the answer too: AWS starts it once.
 *
 * @returns its ARN.
 * @throws WrongArgument when the name is taken; what AWS refuses.
 */
export async function startExecution(
  sfn: SFNClient,
  screen: Screen,
  { stateMachineArn, givenName, newName, input }: ExecutionStart,
): Promise<string> {
  const name = givenName ?? newName;
  const text = JSON.stringify(input);
  const machine = stateMachineArn.slice(
    stateMachineArn.indexOf(':stateMachine:') + ':stateMachine:'.length,
  );
  screen.lines([`Starting ${machine}`, ...(text === '{}' ? [] : [`  with ${text}`])]);
  try {
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: text }),
    );
    if (executionArn === undefined) throw new Error('StartExecution answered without an ARN');
    return executionArn;
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
    const executionArn = executionArnOf(stateMachineArn, name);
    // Nobody else has this name: the answer to an earlier try was lost, and the execution is over already.
    if (givenName === undefined) return executionArn;
    throw new WrongArgument(
      `There is an execution named ${name} already: it has ended, or has another input. ` +
        `Take another name, or look at that one: ${watchCommand(executionArn)}`,
    );
  }
}

/** The command that shows how an execution goes. */
export function watchCommand(executionArn: string): string {
  return `npx receipts execute --watch ${executionArn}`;
}

const STATE_MACHINE = /^arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[^\s:/]+(:[^\s:/]+)?$/;
const EXECUTION = /^arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:execution:[^\s:]+:[^\s:]+$/;

export function isStateMachineArn(text: string): boolean {
  return STATE_MACHINE.test(text);
}

export function isExecutionArn(text: string): boolean {
  return EXECUTION.test(text);
}

/** The ARN of the execution of this name; the one of a state machine's version or alias is named after the machine too. */
export function executionArnOf(stateMachineArn: string, name: string): string {
  const [arn, partition, states, region, account, , machine] = stateMachineArn.split(':');
  return [arn, partition, states, region, account, 'execution', machine, name].join(':');
}

/** AWS's web page of an execution; undefined where there is none that we know of. */
export function consoleLink(
  executionArn: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const host = consoleHost(executionArn.split(':')[1] ?? '');
  if (host === undefined || (environment['AWS_ENDPOINT_URL'] ?? '') !== '') return undefined;
  const region = regionOf(executionArn);
  return `https://${region}.${host}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/** The workflows by the names that the command line has for them. */
export const WORKFLOW_NAMES = ['realtime', 'batch-submit', 'batch-poll'] as const;
export type WorkflowName = (typeof WORKFLOW_NAMES)[number];

/** The stack's output with the state machine's ARN. */
export const OUTPUT_OF: Readonly<Record<WorkflowName, OutputName>> = {
  realtime: 'realtime_embedding_sf_arn',
  'batch-submit': 'batch_submit_sf_arn',
  'batch-poll': 'batch_poll_sf_arn',
};

/** A connection whose other end is gone without a word is given up, and tried anew. */
const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** Speaks to Step Functions in this region (undefined: the environment's), or at AWS_ENDPOINT_URL. */
export function createSfnClient(
  region: string | undefined,
  requestTimeout = REQUEST_TIMEOUT_MS,
): SFNClient {
  return new SFNClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
    },
  });
}
