import { tmpdir } from 'node:os';
import { toolWorld, type ToolWorld } from 'receipts-cli/command_line/testing/command_world';
import { redo } from 'receipts-cli/redo/redo';
import { status } from 'receipts-cli/status/status';
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
  const world = worldOf(stack);
  const exit = await redo([...argv, '--yes', '--json'], {
    ...world.ports,
    confirm: undefined,
    temporaryFolder: tmpdir(),
  });
  expect([exit, world.stderr()]).toStrictEqual([0, expect.stringContaining('Table ')]);
  return JSON.parse(world.stdout());
}

/** `receipts status` of a stack. @returns its JSON. */
export async function runStatus(stack: TestStack, ...argv: readonly string[]): Promise<unknown> {
  return JSON.parse(await shownStatus(stack, '--json', ...argv));
}

/** What `receipts status` prints. */
export async function shownStatus(stack: TestStack, ...argv: readonly string[]): Promise<string> {
  const world = worldOf(stack);
  const { sfn } = stack.local.aws.clients;
  const exit = await status(argv, { ...world.ports, sfn: () => sfn });
  expect([exit, world.stderr()]).toStrictEqual([0, '']);
  return world.stdout();
}
