import { describe, expect, it } from 'vitest';
import { functionArn } from '../testing/stand_in_fixture.ts';
import { validatedDefinition } from './asl_validation.ts';

const task = { Type: 'Task', Resource: functionArn, End: true };
const processor = { StartAt: 'Item', States: { Item: task } };
const distributed = {
  Type: 'Map',
  ItemProcessor: {
    ...processor,
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
  },
  End: true,
};

const refusalOf = (state: object): string => {
  try {
    validatedDefinition({ StartAt: 'S', States: { S: state } });
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
};

describe('createStateMachine', () => {
  it("refuses what is no States Language, in the validator's words", () => {
    expect(refusalOf({ Type: 'Task', Resource: functionArn, Next: 'Nowhere' })).toContain(
      'MISSING_TRANSITION_TARGET',
    );
  });

  it.each([
    [{ ...task, HeartbeatSeconds: 5, TimeoutSeconds: 9 }, '/States/S/HeartbeatSeconds'],
    [{ ...task, TimeoutSecondsPath: '$.t' }, '/States/S/TimeoutSecondsPath'],
    [{ ...task, Resource: 'arn:aws:states:::sqs:sendMessage' }, '/States/S/Resource'],
    [
      { ...task, Resource: 'arn:aws:states:::lambda:invoke', Parameters: { 'Payload.$': '$' } },
      '/States/S/Parameters must have FunctionName',
    ],
    [{ ...task, QueryLanguage: 'JSONata' }, '/States/S/QueryLanguage'],
    [{ ...task, Parameters: { 'a.$': '$..b' } }, '/States/S/Parameters.a.$'],
    [{ ...task, Parameters: { 'a.$': '$.l[?(@.x)]' } }, '/States/S/Parameters.a.$'],
    [{ ...task, Parameters: { 'a.$': 'States.MathRandom(1, 2)' } }, 'States.MathRandom'],
    [
      { ...task, Parameters: { 'a.$': "States.Format('{}', 1, $..a)" } },
      '/States/S/Parameters.a.$',
    ],
    [{ ...task, ResultPath: '$.a[*]' }, '/States/S/ResultPath'],
    [{ Type: 'Map', Iterator: processor, End: true }, '/States/S/Iterator'],
    [
      {
        ...distributed,
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' },
          Parameters: { Bucket: 'b', Key: 'k' },
        },
      },
      '/States/S/ItemReader/ReaderConfig/InputType',
    ],
    [
      { ...distributed, ItemBatcher: { MaxItemsPerBatch: 5 } },
      '/States/S/ItemBatcher is not supported',
    ],
  ])('refuses %j', (state, place) => {
    const message = refusalOf(state);
    expect(message).toContain('Invalid State Machine Definition');
    expect(message).toContain(place);
  });

  it.each([
    [{ Variable: '$', IsNull: true }, '$ alone'],
    [{ Variable: '$$.State.Name', StringEquals: 'S' }, '$$.State'],
    [
      {
        Or: [
          { Variable: '$.a', IsNull: true },
          { Variable: '$..a', IsNull: true },
        ],
      },
      'Or/1',
    ],
  ])('refuses the choice rule %j', (rule, problem) => {
    const definition = {
      StartAt: 'C',
      States: {
        C: { Type: 'Choice', Choices: [{ ...rule, Next: 'S' }] },
        S: { Type: 'Succeed' },
      },
    };
    expect(() => validatedDefinition(definition)).toThrow(problem);
  });

  it('names every problem at once', () => {
    const message = refusalOf({
      ...task,
      Parameters: { 'a.$': '$..b', 'c.$': '$.l[?(@.x)]' },
    });
    expect(message.split('\n').length).toBe(2);
  });

  it('accepts a distributed Map with reader, writer, label and tolerance', () => {
    expect(
      refusalOf({
        ...distributed,
        Label: 'Receipts',
        MaxConcurrency: 10,
        ToleratedFailurePercentage: 100,
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSONL', MaxItems: 5 },
          Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.key' },
        },
        ItemSelector: { 'a.$': '$$.Map.Item.Value', 'b.$': "States.Format('{}', $.b)" },
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Parameters: { Bucket: 'b', Prefix: 'p' },
          WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
        },
      }),
    ).toBe('accepted');
  });
});
