import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { embeddedReceiptCodec } from 'receipt-embedding/entities/embedded_receipt';
import { syntheticReceipts } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { z } from 'zod';
import { check } from './checks.ts';
import { ChromaStack, createDatabase } from './chroma_stack.ts';
import { askAll, questionsOf } from './questions.ts';

const [endpoint = '', deltas] = process.argv.slice(2);
const RECEIPTS = 12;
const DIMENSIONS = '512';

const receipts = [...syntheticReceipts({ count: RECEIPTS, seed: 'chroma', words: 40 })];

/** A stack whose receipts are filled by both paths; its stores are the usual ones where nothing else is said. */
async function filled(config: Readonly<Record<string, string>>): Promise<ChromaStack> {
  const stack = await ChromaStack.start({
    config: { embedding_dimensions: DIMENSIONS, ...config },
  });
  await stack.load(receipts);
  await check('half of the receipts by realtime, the rest by batches: all SUCCESS', async () => {
    const by = await stack.fillByBothPaths(RECEIPTS);
    assert.deepEqual(by, { realtime: RECEIPTS / 2, batch: RECEIPTS / 2 });
    return `${by.realtime} and ${by.batch}`;
  });
  return stack;
}

/** The log's deltas by the path that has written them, below FOLDER/realtime and FOLDER/batch. */
async function writeDeltas(stack: ChromaStack, folder: string): Promise<string> {
  const counts: Record<string, number> = {};
  for (const row of await stack.rowsOfType('EMBEDDED_RECEIPT')) {
    for (const run of z.decode(embeddedReceiptCodec, row as never).runs) {
      for (const collection of ['lines', 'words'] as const) {
        if (run[collection] === null) continue;
        const key = `${collection}/delta/${run.run_id}/delta.tar.gz`;
        const object = stack.local.aws.s3.getObject(stack.local.bucket, key);
        assert.ok(object !== undefined, `no ${key}`);
        const file = join(folder, run.path, key);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, object.body);
        const what = `${run.path} ${collection}`;
        counts[what] = (counts[what] ?? 0) + 1;
      }
    }
  }
  assert.equal(Object.keys(counts).length, 4, 'deltas of both paths, of lines and of words');
  return JSON.stringify(counts);
}

const left = [...receipts];
const database = await createDatabase(endpoint);
const stack = await filled({
  vector_stores: 's3_vectors,pinecone,chroma',
  chroma_http_endpoint: endpoint,
  chroma_database: database.database,
});
await check('Chroma has what s3_vectors has', () => stack.sameContents(database));
await check('and answers as s3_vectors does', () => askAll(stack, questionsOf(receipts)));
if (deltas !== undefined) {
  await check(`the deltas of both paths, below ${deltas}`, () => writeDeltas(stack, deltas));
}
await check('a full run afterwards asks OpenAI nothing, and writes nothing', async () => {
  const rows = await stack.rows();
  await stack.runForNothing();
  assert.deepEqual(await stack.rows(), rows);
  return undefined;
});

await check('a changed label and a deleted receipt: a full run asks OpenAI nothing', async () => {
  const rows = await stack.rows();
  const label = rows.find(
    (row) => row['TYPE'] === 'RECEIPT_WORD_LABEL' && row['validation_status'] === 'VALID',
  );
  assert.ok(label !== undefined, 'there is no label');
  const gone = left.pop()?.receipt.image_id ?? '';
  assert.notEqual(label.PK, `IMAGE#${gone}`);
  const [key = '', name = ''] = label.SK.split('#LABEL#');
  const text = rows.find(({ PK, SK }) => PK === label.PK && SK === key)?.['text'];
  const found = async (judged: 'valid' | 'invalid'): Promise<boolean> => {
    const question = [String(text), '--entity', 'words', '--image', label.PK.slice(6)];
    const hits = await stack.sameHits([...question, '--label', name, '--label-is', judged]);
    return hits.some(({ id }) => id === `${label.PK}#${key}`);
  };
  assert.deepEqual([await found('valid'), await found('invalid')], [true, false]);

  await stack.update(label, { validation_status: 'INVALID' });
  for (const row of rows) if (row.PK === `IMAGE#${gone}`) await stack.delete(row);
  await stack.runForNothing();

  assert.deepEqual([await found('valid'), await found('invalid')], [false, true]);
  for (const entity of ['lines', 'words']) {
    const hits = await stack.sameHits(['total', '--image', gone, '--entity', entity]);
    assert.deepEqual(hits, []);
  }
  return undefined;
});
await check('Chroma has what s3_vectors has', () => stack.sameContents(database));
await check('and answers as s3_vectors does', () => askAll(stack, questionsOf(left)));
await stack.close();

const addedLater = await createDatabase(endpoint);
const other = await filled({ vector_stores: 's3_vectors,pinecone' });
await check('Chroma, added later: search says that it lacks every receipt', async () => {
  other.addChroma(addedLater);
  const { hits, lacking } = await other.found('total', '--store', 'chroma');
  assert.deepEqual([hits, lacking], [[], { of: RECEIPTS, receipts: RECEIPTS }]);
  return undefined;
});
await check('one full run fills it, and asks OpenAI nothing', async () => {
  await other.runForNothing();
  const { lacking } = await other.found('total', '--store', 'chroma');
  assert.equal(lacking, undefined);
  return await other.sameContents(addedLater);
});
await check('it answers as s3_vectors does', () => askAll(other, questionsOf(receipts)));
await other.close();
