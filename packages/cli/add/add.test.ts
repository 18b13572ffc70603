import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Row } from 'receipt-embedding/entities/keys';
import { toRow } from 'receipt-embedding/table/rows';
import { deleteRows } from 'receipt-embedding/table/row_batches';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { toolWorld } from '../command_line/testing/command_world.ts';
import { add } from './add.ts';

let table: ReceiptTable;
let folder: string;

beforeAll(async () => {
  table = await ReceiptTable.start();
  folder = await mkdtemp(join(tmpdir(), 'add-test-'));
});
afterEach(async () => {
  await deleteRows(table, await rows());
});
afterAll(async () => {
  await table.close();
  await rm(folder, { recursive: true });
});

async function rows(): Promise<Row[]> {
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.name }));
  return Items.map(toRow);
}

const ARRIVING = { ARRIVALS_QUEUE_URL: 'http://127.0.0.1:4566/1/arrivals' };
const START = Date.parse('2025-03-01T12:00:00Z');

/** @param onSleep what happens in the table while the command waits, by how often it has waited. */
async function run(
  argv: readonly string[],
  {
    variables = ARRIVING,
    onSleep = () => Promise.resolve(),
  }: {
    readonly variables?: Readonly<Record<string, string>>;
    readonly onSleep?: (times: number) => Promise<void>;
  } = {},
) {
  let [slept, times] = [0, 0];
  const world = toolWorld({
    client: table.client,
    variables: { DYNAMODB_TABLE_NAME: table.name, ...variables },
    now: () => new Date(START + slept),
  });
  const exit = await add(argv, {
    ...world.ports,
    newSeed: () => 'fresh',
    sleep: async (milliseconds) => {
      slept += milliseconds;
      await onSleep(times++);
    },
  });
  return { exit, stdout: world.stdout(), stderr: world.stderr() };
}

/** An export of one receipt with one line. */
async function exportFile(text: string): Promise<string> {
  const file = join(folder, 'receipt.json');
  const corners = Object.fromEntries(
    ['top_left', 'top_right', 'bottom_left', 'bottom_right'].map((corner) => [
      corner,
      { x: 0, y: 0 },
    ]),
  );
  const line = {
    ...{ image_id: IMAGE_ID, receipt_id: 1, line_id: 1, text, ...corners },
    ...{ bounding_box: { x: 0, y: 0, width: 1, height: 1 }, confidence: 1 },
    ...{ angle_degrees: 0, angle_radians: 0, embedding_status: 'NONE', is_noise: false },
  };
  await writeFile(file, JSON.stringify({ receipt_lines: [line] }));
  return file;
}

const SUCCESS = { embedding_status: 'SUCCESS', GSI1PK: 'EMBEDDING_STATUS#SUCCESS' };

async function setAll(change: Readonly<Record<string, unknown>>): Promise<void> {
  const all = await rows();
  await table.put(...all.map((row) => ('embedding_status' in row ? { ...row, ...change } : row)));
}

describe('receipts add', () => {
  it('puts an export into the table, and says that it is embedded by itself', async () => {
    const { exit, stdout } = await run([await exportFile('MILK 3.99')]);
    expect([exit, stdout.split('\n')]).toStrictEqual([
      0,
      [
        `Added to ${table.name}: 1 receipt with 1 line and word.`,
        'They are embedded by themselves, within a minute of their last row.',
        '',
      ],
    ]);
    expect(await rows()).toMatchObject([{ TYPE: 'RECEIPT_LINE', text: 'MILK 3.99' }]);
  });

  it('says what embeds them in a stack that does not by itself, and does not wait there', async () => {
    const file = await exportFile('MILK 3.99');
    const waiting = await run([file, '--wait'], { variables: {} });
    expect([waiting.exit, await rows()]).toStrictEqual([2, []]);
    expect(waiting.stderr).toContain('--wait is for a stack that embeds what arrives');
    const { exit, stdout } = await run([file], { variables: {} });
    expect(exit).toBe(0);
    expect(stdout).toContain('  npx receipts execute realtime --filter NONE\n');
  });

  it('leaves what is there already as it is, unless it is told to put over it', async () => {
    await run([await exportFile('MILK 3.99')]);
    await setAll(SUCCESS);
    const file = await exportFile('MILK 4.99');
    const { exit, stderr } = await run([file]);
    expect(exit).toBe(2);
    expect(stderr).toContain(
      `Nothing was added: 1 row of 1 are in the table ${table.name} already:`,
    );
    expect(stderr).toContain(`  IMAGE#${IMAGE_ID} RECEIPT#00001#LINE#00001\n`);
    expect(await rows()).toMatchObject([{ text: 'MILK 3.99', embedding_status: 'SUCCESS' }]);
    expect((await run([file, '--replace'])).exit).toBe(0);
    expect(await rows()).toMatchObject([{ text: 'MILK 4.99', embedding_status: 'NONE' }]);
  });

  it('waits until all are embedded, and says how long it took', async () => {
    const { exit, stdout } = await run(['--synthetic', '2', '--wait', '--json'], {
      onSleep: async (times) => {
        if (times === 3) await setAll(SUCCESS);
      },
    });
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      receipts: 2,
      embedded_by_itself: true,
      refused: 0,
      seconds: 8,
    });
  });

  it('tells of what was refused, and of what is not embedded in ten minutes', async () => {
    const file = await exportFile('MILK 3.99');
    const refused = await run([file, '--wait'], {
      onSleep: () => setAll({ embedding_status: 'FAILED', GSI1PK: 'EMBEDDING_STATUS#FAILED' }),
    });
    expect([refused.exit, refused.stdout]).toStrictEqual([
      1,
      expect.stringContaining('1 were refused: npx receipts redo failed --dry-run'),
    ]);
    const late = await run([file, '--replace', '--wait']);
    expect([late.exit, late.stdout]).toStrictEqual([
      1,
      expect.stringContaining(
        'After 10 min 2 s 1 of 1 are not embedded. Look at: npx receipts status',
      ),
    ]);
  });

  it.each([
    [[], /what is to be added\? A file or folder of exports, or --synthetic N/],
    [['a.json', '--synthetic', '1'], /what is to be added\?/],
    [['--synthetic', '0'], /whole number from 1 to 1000/],
    [['no-such-file.json'], /no-such-file\.json/],
  ])('is refused with %j', async (argv, why) => {
    const { exit, stderr } = await run(argv);
    expect(exit).toBe(2);
    expect(stderr).toMatch(why);
    expect(await rows()).toStrictEqual([]);
  });
});
