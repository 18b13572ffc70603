import { tmpdir } from 'node:os';
import { S3Client } from '@aws-sdk/client-s3';
import { clientSettings, S3_SETTINGS } from 'embedded-aws/aws/client_settings';
import { ofTheLayer } from 'receipt-embedding/aws_clients';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import type { DifferenceKind } from 'receipt-embedding/verification/compare_receipt';
import { toolWorld } from 'receipts-cli/command_line/testing/command_world';
import type { LocalStack } from 'receipts-cli/local_stack';
import { localStores } from 'receipts-cli/local_stores';
import type { StackStore } from 'receipts-cli/stores/stack_stores';
import type { ReadingPorts } from 'receipts-cli/verify/read_receipt';
import type { FoundKind } from 'receipts-cli/verify/report';
import { verify } from 'receipts-cli/verify/verify';
import { expect } from 'vitest';
import type { TestStack } from './test_stack.ts';

/** What `receipts verify` printed, and how it ended. */
export interface ShownVerification {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `receipts verify --json` says. */
export interface Verified {
  readonly exit: number;
  readonly compared: number;
  readonly seed: string | null;
  readonly found: readonly FoundKind[];
  readonly repaired?: {
    readonly receipts: number;
    readonly busy: number;
    readonly to_none: number;
  };
  readonly left?: readonly FoundKind[];
}

/** Runs `receipts verify` on a stack, with nobody to ask. */
export async function shownVerification(
  stack: TestStack,
  ...argv: readonly string[]
): Promise<ShownVerification> {
  return await interruptedVerification(stack, undefined, ...argv);
}

/** The same, with Ctrl-C as soon as this is written. @param text undefined: never. */
export async function interruptedVerification(
  { local }: TestStack,
  text: RegExp | undefined,
  ...argv: readonly string[]
): Promise<ShownVerification> {
  const { deployment, clients } = local.aws;
  const outputs = Object.entries(deployment.outputs as Record<string, string>);
  const { ports, stdout, stderr, interrupt } = toolWorld({
    client: clients.dynamodb,
    variables: Object.fromEntries(outputs.map(([name, value]) => [name.toUpperCase(), value])),
    now: () => new Date(),
    onOutput: (written) => {
      if (text?.test(written) === true) interrupt();
    },
  });
  const exit = await verify(argv, {
    ...ports,
    confirm: undefined,
    temporaryFolder: tmpdir(),
    s3: () => s3Client(local),
    openStores: () => openedStores(local),
  });
  return { exit, stdout: stdout(), stderr: stderr() };
}

function s3Client({ aws }: LocalStack): S3Client {
  return ofTheLayer(new S3Client({ ...clientSettings(aws), ...S3_SETTINGS }));
}

async function openedStores(local: LocalStack): Promise<StackStore[]> {
  const { embeddingModel: model } = local;
  return await Promise.all(
    localStores(local).map(async (store) => ({
      ...{ name: store.name, identity: await store.identity(), store },
      ...{ model, dimensions: model.dimensions },
    })),
  );
}

/** What the command reads a receipt with. */
export async function readingPorts({ local }: TestStack): Promise<ReadingPorts> {
  const { table, bucket, embeddingModel: model } = local;
  return {
    ...{ table, model, now: () => new Date(), stores: await openedStores(local) },
    log: new VectorLog({ s3: s3Client(local), bucket, temporaryFolder: tmpdir() }),
  };
}

/** The same with --json. */
export async function runVerify(stack: TestStack, ...argv: readonly string[]): Promise<Verified> {
  const { exit, stdout, stderr } = await shownVerification(stack, ...argv, '--json');
  if (stdout === '') throw new Error(`receipts verify ended with ${exit}: ${stderr}`);
  return { exit, ...(JSON.parse(stdout) as Omit<Verified, 'exit'>) };
}

/** How many differences of which kind. */
export type FoundCounts = Partial<Record<DifferenceKind, number>>;

export function countsOf(found: readonly FoundKind[]): FoundCounts {
  return Object.fromEntries(found.map(({ kind, count }) => [kind, count]));
}

/** Nothing differs, wherever one looks. */
export async function expectVerified(stack: TestStack): Promise<void> {
  const { exit, found } = await runVerify(stack, '--full');
  expect([exit, found]).toStrictEqual([0, []]);
}

/**
 * Exactly this differs; repairing asks OpenAI nothing, and nothing differs then.
 *
 * @returns how many lines and words are to be embedded again, because the log has no vector of them.
 */
export async function expectRepaired(stack: TestStack, expected: FoundCounts): Promise<number> {
  const { exit, found } = await runVerify(stack, '--full');
  expect([exit, countsOf(found)]).toStrictEqual([1, expected]);
  const [{ exit: end, left, repaired }, requests] = await stack.countingRequests(() =>
    runVerify(stack, '--full', '--repair', '--yes'),
  );
  expect([end, left, requests]).toStrictEqual([0, [], 0]);
  await expectVerified(stack);
  return repaired?.to_none ?? -1;
}
