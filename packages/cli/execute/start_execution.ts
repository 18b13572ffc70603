import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import { executionArnOf } from './arns.ts';

export interface ExecutionStart {
  readonly stateMachineArn: string;
  /** What the user called it. */
  readonly givenName: string | undefined;
  /** For an execution that the user did not name; never used before. */
  readonly newName: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * Starts an execution. One of the same name and input that runs already is the answer too: AWS starts it once.
 *
 * @returns its ARN.
 * @throws WrongArgument when the name is taken; what AWS refuses.
 */
export async function startExecution(
  sfn: SFNClient,
  { stateMachineArn, givenName, newName, input }: ExecutionStart,
): Promise<string> {
  const name = givenName ?? newName;
  try {
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
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
        `Take another name, or look at that one: npm run execute -- --watch ${executionArn}`,
    );
  }
}
