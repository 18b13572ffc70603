import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { limitTime, SMALL_ANSWER } from 'receipt-embedding/aws_clients';
import { EXIT } from './command_line/exit_status.ts';
import { interruption } from './command_line/interruption.ts';
import { pulumiOutputs } from './deployed_stack/pulumi_outputs.ts';
import { runEstimate } from './estimate/run_estimate.ts';

const exitStatus = await runEstimate(process.argv.slice(2), {
  environment: process.env,
  pulumiOutputs,
  dynamodb: (region) =>
    new DynamoDBClient({
      maxAttempts: 5,
      ...(region === undefined ? {} : { region }),
      requestHandler: limitTime(SMALL_ANSWER),
    }),
  out: process.stdout,
  messages: process.stderr,
  stop: interruption(),
});
// Requests that are under way would keep a stopped program alive.
if (exitStatus === EXIT.interrupted) process.exit(exitStatus);
process.exitCode = exitStatus;
