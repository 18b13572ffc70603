import { tmpdir } from 'node:os';
import { createDynamoDBClient } from 'receipt-embedding/aws_clients';
import { EXIT } from './command_line/exit_status.ts';
import { interruption } from './command_line/interruption.ts';
import { pulumiOutputs } from './deployed_stack/pulumi_outputs.ts';
import { confirm } from './redo/confirm.ts';
import { redo } from './redo/redo.ts';

const terminal = process.stdin.isTTY && process.stderr.isTTY;

const exitStatus = await redo(process.argv.slice(2), {
  environment: process.env,
  pulumiOutputs,
  dynamodb: createDynamoDBClient,
  out: process.stdout,
  messages: process.stderr,
  now: () => new Date(),
  stop: interruption(),
  confirm: terminal
    ? (question) => confirm(question, { input: process.stdin, output: process.stderr })
    : undefined,
  temporaryFolder: tmpdir(),
});
// Requests that are under way would keep a stopped program alive.
if (exitStatus === EXIT.interrupted) process.exit(exitStatus);
process.exitCode = exitStatus;
