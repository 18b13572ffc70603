import { childrenOf, historyOf, payloadsOf } from '../../tests/support/execution_histories.ts';
import { allReceipts, API_KEYS } from './chaos_plan.ts';
import { textsOf } from './chaos_receipts.ts';
import type { ChaosRun } from './chaos_run.ts';

/** Where a key or a receipt's text is that nobody may find there, a line for each place. */
export async function leaksOf(run: ChaosRun): Promise<string[]> {
  const { plan } = run;
  const edits = plan.waves.flatMap((wave) => wave.edits);
  const secrets = [...API_KEYS, ...textsOf(allReceipts(plan), edits)];
  const places = {
    logs: run.stack.logs,
    commands: run.written,
    'outputs and causes': run.executions.flatMap(([, { output = '', cause = '' }]) => [
      output,
      cause,
    ]),
    histories: await histories(run),
    'files of executions': filesOfExecutions(run),
    batches: (await run.stack.rowsOfType('BATCH_SUMMARY')).map((row) => JSON.stringify(row)),
    records: (await run.stack.rowsOfType('EMBEDDED_RECEIPT')).map((row) => JSON.stringify(row)),
  };
  return Object.entries(places).flatMap(([place, texts]) => {
    for (const text of texts) {
      const secret = secrets.find((found) => text.includes(found));
      if (secret === undefined) continue;
      const at = text.indexOf(secret);
      const about = text.slice(Math.max(0, at - 200), at + secret.length + 50);
      return [`${place} have ${secret}: …${about}…`];
    }
    return [];
  });
}

/** Inputs and outputs of all states of all executions and of their children. */
async function histories({ stack, executions }: ChaosRun): Promise<string[]> {
  const payloads: string[] = [];
  for (const [, { executionArn }] of executions) {
    for (const arn of [executionArn, ...(await childrenOf(stack, executionArn))]) {
      payloads.push(...payloadsOf(await historyOf(stack, arn)));
    }
  }
  return payloads;
}

function filesOfExecutions({ stack }: ChaosRun): string[] {
  const { aws, bucket, batchBucket } = stack.local;
  const folders = [
    [bucket, 'runs/'],
    [batchBucket, 'submits/'],
    [batchBucket, 'polls/'],
  ] as const;
  return folders.flatMap(([name, folder]) =>
    aws.s3.listKeys(name, folder).map((key) => String(aws.s3.getObject(name, key)?.body ?? '')),
  );
}
