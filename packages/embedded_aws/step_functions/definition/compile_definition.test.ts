import { describe, expect, it } from 'vitest';
import { task } from '../testing/stand_in_fixture.ts';
import { compileDefinition, InvalidDefinition } from './compile_definition.ts';

const processor = (mode: object): object => ({
  ProcessorConfig: mode,
  StartAt: 'Item',
  States: { Item: task() },
});
const distributed = {
  Type: 'Map',
  ItemProcessor: processor({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }),
  End: true,
};
const writer = {
  Resource: 'arn:aws:states:::s3:putObject',
  Parameters: { Bucket: 'b', Prefix: 'p' },
  WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
};

function refusalOf(state: object, others: object = {}): string {
  try {
    compileDefinition({ StartAt: 'S', States: { S: state, ...others } });
  } catch (error) {
    if (error instanceof InvalidDefinition) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a definition', () => {
  it.each<[object, string]>([
    [{ Type: 'Wait', Seconds: 1, End: true }, '/States/S/Type: "Wait" states are not supported'],
    [
      task({ TimeoutSeconds: 9, HeartbeatSeconds: 5 }),
      '/States/S/HeartbeatSeconds is not supported',
    ],
    [task({ Resource: 'arn:aws:states:::sqs:sendMessage' }), '/States/S/Resource: '],
    [task({ Parameters: { FunctionName: 'f', Qualifier: '1' } }), '/Parameters/Qualifier is not'],
    [task({ Parameters: { FunctionName: 'f', Payload: { 'a.$': '$..b' } } }), "JSONPath '$..b'"],
    [
      task({ Parameters: { FunctionName: 'f', Payload: { 'a.$': '$.b[*]' } } }),
      "JSONPath '$.b[*]'",
    ],
    [
      task({ Parameters: { FunctionName: 'f', 'Payload.$': 'States.MathRandom(1, 2)' } }),
      '/States/S/Parameters: States.MathRandom is not supported',
    ],
    [{ ...distributed, ItemBatcher: { MaxItemsPerBatch: 5 } }, '/States/S/ItemBatcher is not'],
    [
      { ...distributed, ResultWriter: { ...writer, WriterConfig: undefined } },
      '/States/S/ResultWriter/WriterConfig',
    ],
    [
      { ...distributed, ItemProcessor: processor({ Mode: 'INLINE' }), Label: 'x' },
      '/States/S/Label is not supported',
    ],
  ])('%j is refused, with the state and the field', (state, problem) => {
    const message = refusalOf(state);
    expect(message).toMatch(/^Invalid State Machine Definition: '/);
    expect(message).toContain(problem);
  });

  it.each<[object, string]>([
    [{ Variable: '$.a', IsNull: true }, '/States/S/Choices/0/IsNull is not supported'],
    [{ Variable: '$.a', IsPresent: false }, 'IsPresent: false is not supported: true is'],
    [{ Not: { Variable: '$.a', StringEquals: '' } }, '/States/S/Choices/0/Not is not supported'],
  ])('with the choice rule %j is refused', (rule, problem) => {
    const choice = { Type: 'Choice', Choices: [{ ...rule, Next: 'Done' }] };
    expect(refusalOf(choice, { Done: { Type: 'Succeed' } })).toContain(problem);
  });

  it("that is no States Language is refused in the validator's words", () => {
    expect(refusalOf(task({ Next: 'Nowhere' }))).toContain('MISSING_TRANSITION_TARGET');
  });

  it('of a distributed Map with reader, writer, selector and tolerance is accepted', () => {
    const map = {
      ...distributed,
      Label: 'Receipts',
      MaxConcurrency: 10,
      ToleratedFailurePercentage: 100,
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSONL' },
        Parameters: { 'Bucket.$': '$.bucket', 'Key.$': "States.Format('in/{}', $.key)" },
      },
      ItemSelector: { 'a.$': '$$.Map.Item.Value' },
      ResultWriter: writer,
    };
    expect(refusalOf(map)).toBe('accepted');
  });
});
