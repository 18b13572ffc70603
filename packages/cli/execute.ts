import { randomUUID } from 'node:crypto';
import { systemTiming } from './command_line/timing.ts';
import { AWS_PACE } from './command_line/watch_execution.ts';
import { pulumiOutputs } from './deployed_stack/pulumi_outputs.ts';
import { askOnTerminal } from './execute/ask_on_terminal.ts';
import { FEW_ITEMS } from './execute/child_failures.ts';
import { execute } from './execute/execute.ts';
import { createSfnClient } from './execute/sfn_client.ts';

const { stdin, stdout, stderr } = process;

// `npm run execute | head` stops reading: while an execution is watched that ends the watching, and else nothing.
for (const output of [stdout, stderr]) output.on('error', () => undefined);

process.exitCode = await execute(process.argv.slice(2), {
  out: stdout,
  err: stderr,
  environment: process.env,
  pulumiOutputs,
  createClient: createSfnClient,
  newName: () => `execute-${randomUUID()}`,
  timing: systemTiming,
  pace: AWS_PACE,
  lookingAtItems: FEW_ITEMS,
  signals: process,
  ...(stdin.isTTY && stderr.isTTY
    ? { ask: (question, signal) => askOnTerminal(stdin, stderr, question, signal) }
    : {}),
});
