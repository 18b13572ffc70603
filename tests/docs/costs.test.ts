import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { interruption } from 'receipts-cli/command_line/command';
import { WrittenText } from 'receipts-cli/command_line/testing/written_text';
import { runEstimate } from 'receipts-cli/estimate/estimate_command';
import { expect, it } from 'vitest';

const unasked = (): never => {
  throw new Error('nobody is to be asked');
};

/** What `receipts estimate --receipts 1000` says of a million: [realtime, batch] by service. */
async function estimated(): Promise<Map<string, readonly [number, number]>> {
  const out = new WrittenText();
  await runEstimate(['--receipts', '1000'], {
    environment: {},
    pulumiOutputs: unasked,
    servedStack: unasked,
    dynamodb: unasked,
    out,
    messages: new WrittenText(),
    stop: interruption(new EventEmitter(), out),
  });
  const [, million = ''] = out.text.split('A million receipts like these:\n');
  return new Map(
    [...million.matchAll(/^ {2}(\w[\w ]*?) +\$([\d,]+) +\$([\d,]+)$/gm)].map(
      ([, service = '', realtime = '', batch = '']) => [
        service,
        [realtime, batch].map((text) => Number(text.replaceAll(',', ''))) as [number, number],
      ],
    ),
  );
}

it(
  'the README says what a million receipts cost as the estimate does',
  { timeout: 120_000 },
  async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const costs = await estimated();
    const sum = (...services: string[]): string[] =>
      [0, 1].map((way) => {
        const usd = services.reduce(
          (total, service) => total + (costs.get(service)?.[way] ?? 0),
          0,
        );
        return `$${usd.toLocaleString('en-US')}`;
      });
    const row = (name: string): string[] =>
      new RegExp(`^\\| ${name} +\\| +(\\S+) \\| +(\\S+) \\|$`, 'm').exec(readme)?.slice(1) ?? [];
    expect(row('OpenAI, text-embedding-3-small')).toStrictEqual(sum('OpenAI'));
    expect(row('DynamoDB')).toStrictEqual(sum('DynamoDB'));
    expect(row('S3 Vectors')).toStrictEqual(sum('S3 Vectors'));
    expect(row('Lambda, Step Functions, S3, logs')).toStrictEqual(
      sum('Lambda', 'Step Functions', 'S3', 'CloudWatch'),
    );
    expect(row('Together')).toStrictEqual(sum('Together'));
  },
);
