import { ResourceNotFoundException } from '@aws-sdk/client-cloudwatch-logs';
import { scriptedSfn } from 'receipts-cli/executions/testing/scripted_sfn';
import { describe, expect, it } from 'vitest';
import { logLine, readItemLog } from './log_lines.ts';
import type { ConsolePorts } from './ports.ts';

const IMAGE = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const started = new Date('2025-03-01T10:00:00Z');

/** An item of receipt 2 whose function writes these lines. */
function world(lines: readonly string[] | Error) {
  const asked: unknown[] = [];
  const { sfn } = scriptedSfn({
    DescribeExecution: () => ({
      executionArn: 'arn',
      status: 'SUCCEEDED',
      startDate: started,
      stopDate: started,
      input: JSON.stringify({ image_id: IMAGE, receipt_id: 2 }),
    }),
    GetExecutionHistory: () => ({
      events: [
        { timestamp: started, type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'A' } },
        {
          timestamp: started,
          type: 'TaskScheduled',
          taskScheduledEventDetails: {
            parameters: '{"FunctionName":"arn:aws:lambda:us-east-1:1:function:embed"}',
          },
        },
      ],
    }),
  });
  const send = (command: { readonly input: unknown }): Promise<unknown> => {
    asked.push(command.input);
    return lines instanceof Error
      ? Promise.reject(lines)
      : Promise.resolve({
          events: lines.map((message) => ({ timestamp: started.getTime(), message })),
        });
  };
  const ports = { sfn, outputs: {}, logs: { send }, now: () => started } as unknown as ConsolePorts;
  return { asked, read: () => readItemLog(ports, 'arn', new AbortController().signal) };
}

const ofReceipt = (receipt_id: number): string =>
  JSON.stringify({ level: 'ERROR', message: 'failed', image_id: IMAGE, receipt_id });

describe('the log of an item', () => {
  it('is what its function wrote about it, while it ran', async () => {
    const { asked, read } = world([ofReceipt(2), ofReceipt(1), '{"_aws":{}}']);
    const { lines, note } = await read();

    expect(lines).toMatchObject([
      { level: 'ERROR', message: 'failed', function_name: 'embed', fields: { receipt_id: 2 } },
    ]);
    expect(note).toBeNull();
    expect(asked).toMatchObject([
      { logGroupName: '/aws/lambda/embed', filterPattern: `"${IMAGE}"` },
    ]);
  });

  it('says where there is none', async () => {
    const missing = new ResourceNotFoundException({ $metadata: {}, message: 'no such group' });
    expect(await world(missing).read()).toStrictEqual({ lines: [], note: 'No log of embed.' });
  });
});

describe('a line of a log', () => {
  it('that is no JSON is its text', () => {
    expect(logLine('embed', 0, 'Task timed out\n')).toMatchObject({
      level: '',
      message: 'Task timed out',
      fields: {},
    });
  });
});
