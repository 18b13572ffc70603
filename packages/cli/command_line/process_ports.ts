import { createDynamoDBClient } from 'receipt-embedding/aws_clients';
import { type CommandPorts, interruption } from './command.ts';
import { pulumiOutputs } from './deployed_stack.ts';
import { servedStackOf } from './served_stack.ts';

/** The ports of a command that runs in this process; apart, since commands that read no table need no DynamoDB client. */
export function processPorts(): CommandPorts {
  return {
    environment: process.env,
    pulumiOutputs,
    servedStack: servedStackOf(() => process.cwd(), process.env, process.stderr),
    dynamodb: createDynamoDBClient,
    out: process.stdout,
    messages: process.stderr,
    now: () => new Date(),
    stop: interruption(),
  };
}
