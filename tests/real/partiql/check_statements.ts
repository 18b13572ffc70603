import { isDeepStrictEqual } from 'node:util';
import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { DynamoDBStandIn } from 'embedded-aws/dynamodb/dynamodb_stand_in';
import { serve } from 'embedded-aws/http/server';
import { statusChange } from 'receipt-embedding/table/embedding_statuses';
import { changeRows, type RowChange } from 'receipt-embedding/table/update_statements';

/** The same statements to two DynamoDBs. What is compared is all that a caller acts on: codes, rows, and what is in the table afterwards. */

const [url = ''] = process.argv.slice(2);
const TableName = 'receipts.of-two';
const PK = 'IMAGE#1';
const OWNER = '0b6a0000-0000-4000-8000-000000000001';

type Row = Readonly<Record<string, unknown>> & { readonly SK: string };

const line = (SK: string, attributes: object): Row => ({
  PK,
  SK,
  TYPE: 'RECEIPT_LINE',
  text: 'WHOLE MILK 3.99',
  is_noise: false,
  confidence: 0.97,
  histogram: { A: 1 },
  ...attributes,
});
const withStatus = (SK: string, status: string, attributes: object = {}): Row =>
  line(SK, { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}`, ...attributes });

const ROWS: readonly Row[] = [
  withStatus('none', 'NONE'),
  withStatus('edited', 'NONE', { text: 'milk' }),
  withStatus('done', 'SUCCESS'),
  withStatus('claimed', 'PENDING', { embedding_batch_id: OWNER }),
  withStatus('claimed too', 'PENDING', { embedding_batch_id: OWNER }),
  withStatus('claimed by another', 'PENDING', { embedding_batch_id: 'another' }),
  withStatus('claimed by nobody', 'PENDING'),
  line('legacy', {}),
  line('legacy too', {}),
  line('odd', { embedding_status: 7 }),
  withStatus('"quoted" ? SET', 'NONE', { text: '"; -- ? \' = 1' }),
];

const text = 'WHOLE MILK 3.99';
const none = { text, embedding_status: 'NONE' };
const missing = { text, embedding_status: undefined };
const ours = { embedding_status: 'PENDING', embedding_batch_id: OWNER };
const nobodys = { embedding_status: 'PENDING', embedding_batch_id: undefined };

const change = (
  SK: string,
  to: 'NONE' | 'PENDING' | 'SUCCESS',
  where: RowChange['where'],
  claimedBy?: string,
): RowChange =>
  statusChange({
    key: { PK, SK },
    to,
    where,
    ...(claimedBy === undefined ? {} : { claimedBy }),
  });

/** What the product changes, in this order. */
const CHANGES: Readonly<Record<string, RowChange>> = {
  'a status that is as it was read': change('none', 'SUCCESS', none),
  'the same again': change('none', 'SUCCESS', none),
  'a text that was edited': change('edited', 'SUCCESS', none),
  'a status that another has set': change('done', 'PENDING', none, OWNER),
  'a row that is gone': change('gone', 'SUCCESS', none),
  'a row that is gone, where nothing may be': change('gone', 'SUCCESS', missing),
  'a missing status': change('legacy', 'SUCCESS', missing),
  'a missing status that is there': change('done', 'SUCCESS', missing),
  'a status that is missing': change('legacy too', 'SUCCESS', none),
  'a claim': change('legacy too', 'PENDING', missing, OWNER),
  'a claim that is settled': change('claimed', 'SUCCESS', { text, ...ours }),
  'a claim that is released': change('claimed too', 'NONE', ours),
  'a claim of another': change('claimed by another', 'NONE', ours),
  'a claim of nobody': change('claimed by nobody', 'NONE', nobodys),
  'a claim of nobody that has an owner': change('claimed by another', 'NONE', nobodys),
  'a status of another type': change('odd', 'SUCCESS', { text, embedding_status: '7' }),
  'a text and a key with signs of PartiQL': change('"quoted" ? SET', 'SUCCESS', {
    text: '"; -- ? \' = 1',
    embedding_status: 'NONE',
  }),
};

const S = (value: string) => ({ S: value });
const raw = (Statement: string, ...values: string[]): BatchStatementRequest => ({
  Statement,
  ...(values.length === 0 ? {} : { Parameters: values.map(S) }),
});
const WHOLE = 'WHERE PK = ? AND SK = ?';

/**
 * What it does not send, and the embedded DynamoDB has an answer to all the same. Left out is where MiniStack is known to take what
 * DynamoDB does not: a key that is set, and parameters too many.
 */
const STATEMENTS: Readonly<Record<string, BatchStatementRequest>> = {
  'names in quotes': raw(
    `UPDATE "${TableName}" SET "a" = ? WHERE "PK" = ? AND "SK" = ?`,
    '1',
    PK,
    'done',
  ),
  'keywords in small letters': raw(
    `update "${TableName}" set a = ? where PK = ? and SK = ?`,
    '2',
    PK,
    'done',
  ),
  'what is not missing': raw(
    `UPDATE "${TableName}" SET b = ? ${WHOLE} AND a IS NOT MISSING`,
    '1',
    PK,
    'done',
  ),
  'what is missing, and shall not be': raw(
    `UPDATE "${TableName}" SET b = ? ${WHOLE} AND c IS NOT MISSING`,
    '1',
    PK,
    'done',
  ),
  'nothing but REMOVE': raw(`UPDATE "${TableName}" REMOVE a ${WHOLE}`, PK, 'done'),
  'a removal of what is not there': raw(`UPDATE "${TableName}" REMOVE c ${WHOLE}`, PK, 'done'),
  'a failure without ALL_OLD': raw(
    `UPDATE "${TableName}" SET a = ? ${WHOLE} AND c = ?`,
    '1',
    PK,
    'done',
    '1',
  ),
  'half a key': raw(`UPDATE "${TableName}" SET a = ? WHERE PK = ?`, '1', PK),
  'an unknown table': raw(`UPDATE "no-such-table" SET a = ? ${WHOLE}`, '1', PK, 'done'),
  'too few parameters': raw(`UPDATE "${TableName}" SET a = ? ${WHOLE}`, '1', PK),
};

/** By what is checked. */
type Answers = Readonly<Record<string, unknown>>;

async function ask(endpoint: string): Promise<Answers> {
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 60,
    retryMode: 'standard',
  });
  try {
    await load(client);
    return await answersOf(client);
  } finally {
    client.destroy();
  }
}

async function load(client: DynamoDBClient): Promise<void> {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  const key = (hash: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: 'SK', KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK', 'GSI1PK'].map(attribute),
      KeySchema: key('PK'),
      GlobalSecondaryIndexes: [
        { IndexName: 'GSI1', KeySchema: key('GSI1PK'), Projection: { ProjectionType: 'ALL' } },
      ],
    }),
  );
  let status: string | undefined;
  while (status !== 'ACTIVE') {
    ({ TableStatus: status } =
      (await client.send(new DescribeTableCommand({ TableName }))).Table ?? {});
  }
  const puts = ROWS.map((row) => ({ PutRequest: { Item: marshall(row) } }));
  await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
}

async function answersOf(client: DynamoDBClient): Promise<Answers> {
  const answers: Record<string, unknown> = {};
  for (const [check, one] of Object.entries(CHANGES)) {
    [answers[check]] = await changeRows({ client, name: TableName }, [one]);
  }
  for (const [check, statement] of Object.entries(STATEMENTS)) {
    const { Responses = [] } = await client.send(
      new BatchExecuteStatementCommand({ Statements: [statement] }),
    );
    answers[check] = Responses.map(({ Error }) => [Error?.Code, Error?.Item]);
  }
  answers['25 at once, most of them in vain'] = await changeRows(
    { client, name: TableName },
    Array.from({ length: 25 }, (_, at) => change(ROWS[at]?.SK ?? `gone ${at}`, 'SUCCESS', none)),
  );
  const tooMany = Array.from({ length: 26 }, () =>
    raw(`UPDATE "${TableName}" SET a = ? ${WHOLE}`, '9', PK, 'done'),
  );
  answers['26 at once'] = await nameOfError(
    client.send(new BatchExecuteStatementCommand({ Statements: tooMany })),
  );
  answers['none at all'] = await nameOfError(
    client.send(new BatchExecuteStatementCommand({ Statements: [] })),
  );
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  answers['the table afterwards'] = Items.toSorted((a, b) =>
    (a['SK']?.S ?? '') < (b['SK']?.S ?? '') ? -1 : 1,
  );
  const { Items: indexed = [] } = await client.send(
    new ScanCommand({ TableName, IndexName: 'GSI1' }),
  );
  answers['its index'] = indexed.map((row) => `${row['GSI1PK']?.S} ${row['SK']?.S}`).sort();
  return answers;
}

async function nameOfError(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'no error',
    (error: unknown) => (error as Error).name,
  );
}

const stand = new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' });
const server = await serve(stand.handle, 0);
const [embedded, other] = await Promise.all([ask(server.url), ask(url)]);
await server.close();

let failed = 0;
for (const [check, answer] of Object.entries(embedded)) {
  const same = isDeepStrictEqual(answer, other[check]);
  if (!same) failed++;
  console.log(`${same ? 'ok    ' : 'FAILED'} ${check}`);
  if (!same) console.log(JSON.stringify({ embedded: answer, other: other[check] }, undefined, 2));
}
const count = Object.keys(embedded).length;
console.log(failed === 0 ? `All ${count} are answered alike.` : `${failed} of ${count} are not.`);
process.exitCode = failed === 0 ? 0 : 1;
