import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientOptions, ofTheLayer, SMALL_ANSWER } from './aws_clients.ts';
import { RETRY_POLICIES, retrying, type RetryPorts } from './retry.ts';

/** A client of Step Functions. @see createDynamoDBClient */
export function createStepFunctionsClient(region?: string): SFNClient {
  return ofTheLayer(new SFNClient(clientOptions(SMALL_ANSWER, region)));
}

/**
 * An execution that started this long ago, milliseconds, and is not known, has ended: DescribeExecution is eventually consistent, and
 * knows an execution for at least a month after its end.
 */
const KNOWN_AFTER_MS = 60 * 60_000;

/**
 * Whether an execution is running. What DescribeExecution says may be old: then it says "running" of one that has ended, never the other
 * way round.
 *
 * @param since when it was running for certain.
 * @throws RateLimited, UpstreamUnavailable, InvalidConfiguration.
 * @example
 * ```ts
 * await isRunning(sfn, 'arn:aws:states:us-east-1:123456789012:execution:realtime-embedding-sf-dev:run-1', new Date()); // true
 * ```
 */
export async function isRunning(
  client: SFNClient,
  executionArn: string,
  since: Date,
  ports?: RetryPorts,
): Promise<boolean> {
  const command = new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' });
  try {
    const { status } = await retrying(
      RETRY_POLICIES.step_functions,
      () => client.send(command),
      ports,
    );
    return status === 'RUNNING';
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExecutionDoesNotExist') throw error;
    return Date.now() - since.getTime() < KNOWN_AFTER_MS;
  }
}

/** An execution to start. */
export interface ExecutionStart {
  readonly stateMachineArn: string;
  /** At most 80 characters; one name stands for one input. */
  readonly name: string;
  readonly input: object;
}

/**
 * Starts an execution, unless one of this name has been started before.
 *
 * @throws RateLimited, UpstreamUnavailable when tries are used up; InvalidConfiguration; InvalidRequest for an input over 256 KiB.
 * @example
 * ```ts
 * await startExecution(sfn, { stateMachineArn, name: 'arrivals-2f0e8c1a', input: { receipts: [receipt] } });
 * ```
 */
export async function startExecution(
  client: SFNClient,
  { stateMachineArn, name, input }: ExecutionStart,
  ports?: RetryPorts,
): Promise<void> {
  const command = new StartExecutionCommand({
    stateMachineArn,
    name,
    input: JSON.stringify(input),
  });
  try {
    await retrying(RETRY_POLICIES.step_functions, () => client.send(command), ports);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExecutionAlreadyExists') throw error;
  }
}
