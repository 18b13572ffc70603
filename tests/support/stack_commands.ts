import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import { toolWorld, type ToolWorld } from 'receipts-cli/command_line/testing/command_world';
import { exportedVariables } from 'receipts-cli/local_stack';
import type { ArrivalClients } from 'receipts-cli/redo/failed_arrivals';
import { redo } from 'receipts-cli/redo/redo';
import { status } from 'receipts-cli/status/status';
import { openStackStores, type StackStoreClients } from 'receipts-cli/stores/stack_stores';
import { expect } from 'vitest';
import type { TestStack } from './test_stack.ts';

/** A tool's world, with a stack's outputs in the environment as `npm start -- --serve` prints them. */
function worldOf({ local }: TestStack): ToolWorld {
  // However slow the machine is, it is no time at all: no progress is shown.
  const now = new Date();
  const { deployment, clients } = local.aws;
  const outputs = Object.entries(deployment.outputs as Record<string, string>);
  return toolWorld({
    client: clients.dynamodb,
    variables: Object.fromEntries(outputs.map(([name, value]) => [name.toUpperCase(), value])),
    now: () => now,
  });
}

/** `receipts redo` on a stack. @returns its JSON. */
export async function runRedo(stack: TestStack, ...argv: readonly string[]): Promise<unknown> {
  const { exit, stdout, stderr } = await shownRedo(stack, [...argv, '--yes', '--json']);
  expect([exit, stderr]).toStrictEqual([0, expect.stringContaining('Table ')]);
  return JSON.parse(stdout);
}

/** What `receipts redo` prints. @param answers to its questions; none: nobody is there to ask. */
export async function shownRedo(
  stack: TestStack,
  argv: readonly string[],
  answers?: readonly boolean[],
): Promise<RanCommand & { readonly questions: readonly string[] }> {
  const world = worldOf(stack);
  const questions: string[] = [];
  const confirm = (question: string): Promise<boolean> => {
    questions.push(question);
    return Promise.resolve(answers?.[questions.length - 1] ?? false);
  };
  const exit = await redo(argv, {
    ...world.ports,
    confirm: answers === undefined ? undefined : confirm,
    temporaryFolder: tmpdir(),
    arrivalClients: arrivalClients(stack),
  });
  return { exit, stdout: world.stdout(), stderr: world.stderr(), questions };
}

/** The clients are the process's own: they end with it. */
function arrivalClients({ local }: TestStack): ArrivalClients {
  const settings = clientSettings(local.aws);
  return {
    sqs: new SQSClient(settings),
    streams: new DynamoDBStreamsClient(settings),
    sfn: local.aws.clients.sfn,
  };
}

/** `receipts status` of a stack. @returns its JSON. */
export async function runStatus(stack: TestStack, ...argv: readonly string[]): Promise<unknown> {
  return JSON.parse(await shownStatus(stack, '--json', ...argv));
}

/** What `receipts status` prints. */
export async function shownStatus(stack: TestStack, ...argv: readonly string[]): Promise<string> {
  const world = worldOf(stack);
  const { sfn } = stack.local.aws.clients;
  const exit = await status(argv, {
    ...world.ports,
    sfn: () => sfn,
    openStores: (outputs) => openStackStores(outputs, storeClients(stack)),
    openQueues: () => Promise.resolve(new SQSClient(clientSettings(stack.local.aws))),
  });
  expect([exit, world.stderr()]).toStrictEqual([0, '']);
  return world.stdout();
}

/** The clients are the process's own: they end with it. */
function storeClients({ local }: TestStack): StackStoreClients {
  const settings = clientSettings(local.aws);
  return { lambda: new LambdaClient(settings), secrets: new SecretsManagerClient(settings) };
}

/** What a command printed, run as a program, with what `npm start -- --serve` prints in its environment. */
export interface RanCommand {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `receipts …` as a person would: another process, which finds the stack by its environment alone. */
export async function runReceipts(
  { local }: TestStack,
  ...argv: readonly string[]
): Promise<RanCommand> {
  const { promise, resolve } = Promise.withResolvers<RanCommand>();
  execFile(
    process.execPath,
    [PROGRAM, ...argv],
    { env: { ...process.env, ...exportedVariables(local.aws) }, encoding: 'utf8' },
    (error, stdout, stderr) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exit, stdout, stderr });
    },
  );
  return await promise;
}

const PROGRAM = fileURLToPath(new URL('../../packages/cli/bin/receipts.js', import.meta.url));
