import { ExecutionAlreadyExists } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { scriptedSfn } from '../command_line/testing/scripted_sfn.ts';
import { startExecution } from './start_execution.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:machine';
const START = {
  stateMachineArn: MACHINE,
  givenName: undefined,
  newName: 'new',
  input: { limit: 3 },
};

const taken = (): never => {
  throw new ExecutionAlreadyExists({ message: 'Execution Already Exists', $metadata: {} });
};

describe('starting an execution', () => {
  it.each([
    [undefined, 'new'],
    ['given', 'given'],
  ])('asks for the name %s as %s, with the input', async (givenName, name) => {
    const inputs: unknown[] = [];
    const { sfn } = scriptedSfn({
      StartExecution: (input) => {
        inputs.push(input);
        return { executionArn: 'the ARN' };
      },
    });

    expect(await startExecution(sfn, { ...START, givenName })).toBe('the ARN');
    expect(inputs).toStrictEqual([{ stateMachineArn: MACHINE, name, input: '{"limit":3}' }]);
  });

  it('has started it when its new name is taken: an earlier answer was lost', async () => {
    const { sfn } = scriptedSfn({ StartExecution: taken });

    expect(await startExecution(sfn, START)).toBe(
      'arn:aws:states:eu-west-1:111122223333:execution:machine:new',
    );
  });

  it('is refused when the name that was given is taken', async () => {
    const { sfn } = scriptedSfn({ StartExecution: taken });
    const error = await rejection(startExecution(sfn, { ...START, givenName: 'given' }));

    expect(error.name).toBe('WrongArgument');
    expect(error.message).toContain(
      '--watch arn:aws:states:eu-west-1:111122223333:execution:machine:given',
    );
  });
});
