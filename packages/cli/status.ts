import { createDynamoDBClient } from 'receipt-embedding/aws_clients';
import { EXIT } from './command_line/exit_status.ts';
import { interruption } from './command_line/interruption.ts';
import { pulumiOutputs } from './deployed_stack/pulumi_outputs.ts';
import { createSfnClient } from './execute/sfn_client.ts';
import { status } from './status/status.ts';

const exitStatus = await status(process.argv.slice(2), {
  environment: process.env,
  pulumiOutputs,
  dynamodb: createDynamoDBClient,
  sfn: createSfnClient,
  out: process.stdout,
  messages: process.stderr,
  now: () => new Date(),
  stop: interruption(),
});
// Requests that are under way would keep a stopped program alive.
if (exitStatus === EXIT.interrupted) process.exit(exitStatus);
process.exitCode = exitStatus;
