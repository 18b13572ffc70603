import type { TableDescription } from 'embedded-aws/deployment/pulumi_program';
import { describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { without } from '../support/without.ts';
import { OUR_RECEIPTS, PLACES_KEY, runProgram, WITH_PINECONE } from './recorded_program.ts';

// Not proved here: that AWS's provider describes a table so (its schema is; a deployment to AWS would tell).

type Index = NonNullable<TableDescription['globalSecondaryIndexes']>[number];

const INDEXES = OUR_RECEIPTS.globalSecondaryIndexes ?? [];

const withIndex = (
  name: string,
  change: (index: Index) => Index | undefined,
): TableDescription => ({
  ...OUR_RECEIPTS,
  globalSecondaryIndexes: INDEXES.flatMap((index) =>
    index.name === name ? (change(index) ?? []) : [index],
  ),
});

function adopt(table: TableDescription, program: Parameters<typeof runProgram>[0] = {}) {
  const made: string[] = [];
  const adopting = runProgram(
    {
      ...program,
      config: { ...program.config, dynamodb_table_name: 'our-receipts' },
      existingTables: { 'our-receipts': table },
    },
    ({ name }) => made.push(name),
  );
  return { adopting, made };
}

/** What is said of a table that can't be adopted, without the first and the last line. */
async function problemsOf(
  table: TableDescription,
  program?: Parameters<typeof runProgram>[0],
): Promise<string[]> {
  const { adopting, made } = adopt(table, program);
  const { name, message } = await rejection(adopting);
  expect({ name, made }).toStrictEqual({ name: 'UnsuitableTable', made: [] });
  const [first, ...problems] = message.split('\n');
  expect(first).toMatch(/^the table our-receipts can't be adopted, \d problems?:$/);
  expect(problems.pop()).toBe(
    'To have a new table made instead: npx pulumi config rm --stack dev dynamodb_table_name',
  );
  return problems;
}

const create = (index: string): string => {
  const keys = index === 'GSITYPE' ? ['TYPE'] : [`${index}PK`, `${index}SK`];
  const schema = keys.map((AttributeName, at) => ({
    AttributeName,
    KeyType: at === 0 ? 'HASH' : 'RANGE',
  }));
  return (
    'aws dynamodb update-table --table-name our-receipts --attribute-definitions ' +
    `${keys.map((key) => `AttributeName=${key},AttributeType=S`).join(' ')} ` +
    `--global-secondary-index-updates '${JSON.stringify([
      { Create: { IndexName: index, KeySchema: schema, Projection: { ProjectionType: 'ALL' } } },
    ])}'`
  );
};
const replace = (index: string): string =>
  'aws dynamodb update-table --table-name our-receipts ' +
  `--global-secondary-index-updates '[{"Delete":{"IndexName":"${index}"}}]'; and once it is gone: ${create(index)}`;

describe('a table that is adopted', () => {
  it('may have more than is needed', async () => {
    const { adopting } = adopt({
      ...OUR_RECEIPTS,
      attributes: [...OUR_RECEIPTS.attributes, { name: 'GSI9PK', type: 'N' }],
      globalSecondaryIndexes: [
        ...INDEXES,
        {
          name: 'GSI9',
          projectionType: 'KEYS_ONLY',
          keySchemas: [{ attributeName: 'GSI9PK', keyType: 'HASH' }],
        },
      ],
    });
    expect((await adopting).outputs['dynamodb_table_name']).toBe('our-receipts');
  });

  it('may lack an index that no function queries, and rows in one of which keys alone are read', async () => {
    const lacking = withIndex('GSI2', () => undefined);
    await adopt(lacking).adopting;
    await adopt(lacking, WITH_PINECONE).adopting;
    const keys = withIndex('GSITYPE', (index) => ({ ...index, projectionType: 'KEYS_ONLY' }));
    await adopt(keys).adopting;
  });

  it.each(['GSI1', 'GSI3', 'GSITYPE'])('is refused without its index %s', async (index) => {
    expect(await problemsOf(withIndex(index, () => undefined))).toStrictEqual([
      `  - it has no index ${index}: ${create(index)}`,
    ]);
  });

  it.each(['GSI1', 'GSI3'])(
    'is refused where its index %s has not the whole rows',
    async (index) => {
      const keysAlone = withIndex(index, (whole) => ({ ...whole, projectionType: 'KEYS_ONLY' }));
      expect(await problemsOf(keysAlone)).toStrictEqual([
        `  - its index ${index} has KEYS_ONLY of a row, and the functions read whole rows from it: ${replace(index)}`,
      ]);
    },
  );

  it('is refused with everything that is wrong at once', async () => {
    const [hash, ...rest] = INDEXES[1]?.keySchemas ?? [];
    if (hash === undefined) throw new Error('there is no index');
    const table: TableDescription = {
      ...without(OUR_RECEIPTS, 'rangeKey'),
      attributes: OUR_RECEIPTS.attributes.map((attribute) =>
        attribute.name === 'TYPE' ? { ...attribute, type: 'N' } : attribute,
      ),
      globalSecondaryIndexes: INDEXES.filter(({ name }) => name !== 'GSI1').map((index) =>
        index.name === 'GSI3' ? { ...index, keySchemas: [hash, ...rest] } : index,
      ),
    };
    expect(await problemsOf(table)).toStrictEqual([
      "  - its keys are PK, not PK and SK; keys can't be changed: copy its rows into a table with these",
      `  - it has no index GSI1: ${create('GSI1')}`,
      `  - the keys of its index GSI3 are GSI2PK, GSI2SK, not GSI3PK, GSI3SK: ${replace('GSI3')}`,
      `  - the key TYPE of its index GSITYPE has the type N, not S: ${replace('GSITYPE')}`,
    ]);
  });

  it('is refused with a key of the table that is no text', async () => {
    const attributes = OUR_RECEIPTS.attributes.map((attribute) =>
      attribute.name === 'SK' ? { ...attribute, type: 'N' as const } : attribute,
    );
    expect(await problemsOf({ ...OUR_RECEIPTS, attributes })).toStrictEqual([
      "  - the key SK of the table has the type N, not S; keys can't be changed: copy its rows into a table with them",
    ]);
  });

  it('is refused where it is not there', async () => {
    const { name, message } = await rejection(
      runProgram({ config: { dynamodb_table_name: 'nowhere' }, existingTables: {} }),
    );
    expect(name).toBe('UnsuitableTable');
    expect(message).toContain(
      "the table nowhere can't be adopted, since it can't be read: check its name, and that aws:region is its region",
    );
  });
});

describe('a table that keeps what Google says for ever', () => {
  const forEver = without(OUR_RECEIPTS, 'ttl');
  const said = async (table: TableDescription, secrets: Record<string, string>) => {
    const { messages } = await adopt(table, { secrets }).adopting;
    return messages.filter((text) => text.includes('Google'));
  };

  it('is spoken of where Google is asked, with the command that lets it forget', async () => {
    const openai_api_key = 'sk-1';
    const withGoogle = { openai_api_key, google_places_api_key: PLACES_KEY };
    expect(await said(forEver, withGoogle)).toStrictEqual([
      "the table our-receipts keeps what Google says of places for ever, which Google's terms do not allow: " +
        'aws dynamodb update-time-to-live --table-name our-receipts ' +
        '--time-to-live-specification Enabled=true,AttributeName=time_to_live',
    ]);
    expect(await said(OUR_RECEIPTS, withGoogle)).toStrictEqual([]);
    expect(await said(forEver, { openai_api_key })).toStrictEqual([]);
  });
});
