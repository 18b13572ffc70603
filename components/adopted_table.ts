import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { TableIndex } from '../simple_lambdas/runtime/declaration.ts';
import { declaration as noteArrivals } from '../simple_lambdas/note_arrivals/declaration.ts';
import { functionStem, stackName } from './names.ts';
import type { Settings } from './settings.ts';
import { removeCommand, setCommand } from './stack_settings.ts';
import { stackFunctions } from './stack_functions.ts';
import { MOST_READERS, readersOf } from './stream_readers.ts';
import { attributesOf, keySchemaOf, TABLE_FORM } from './table_form.ts';

/** Indexes of which nothing but the keys is read; of the others whole rows are. */
const KEYS_ALONE: readonly TableIndex[] = ['GSITYPE'];

/** What the provider says of a table that is there. */
type Table = Pick<
  aws.dynamodb.GetTableResult,
  | 'attributes'
  | 'globalSecondaryIndexes'
  | 'hashKey'
  | 'rangeKey'
  | 'streamArn'
  | 'streamEnabled'
  | 'streamViewType'
  | 'ttl'
>;

/** Thrown when the table to adopt lacks what the functions need of it; Pulumi shows it without its stack trace. */
class UnsuitableTable extends pulumi.RunError {
  override readonly name = 'UnsuitableTable';
}

/**
 * Looks at the table that the settings name, before anything is made: a function that finds an index missing would find it at
 * run time, receipt by receipt. Without such a table there is nothing to check.
 *
 * @param keepsPlaces whether Google's answers are kept in the table.
 * @throws UnsuitableTable with everything that is wrong at once, and what to do about it; also when there is no such table.
 */
export async function checkAdoptedTable(settings: Settings, keepsPlaces: boolean): Promise<void> {
  const { dynamodb_table_name: name } = settings;
  if (name === undefined) return;
  const refuse = (why: string): never => {
    const command = removeCommand('dynamodb_table_name', pulumi.getStack());
    throw new UnsuitableTable(
      `the table ${name} can't be adopted, ${why}\nTo have a new table made instead: ${command}`,
    );
  };
  const table = await aws.dynamodb
    .getTable({ name })
    .catch((error: unknown) =>
      refuse(
        `since it can't be read: check its name, and that aws:region is its region\n${String(error)}`,
      ),
    );
  const problems = [
    ...problemsOf(table, name, settings),
    ...(settings.embed_on_arrival ? await streamProblems(table, name) : []),
  ];
  if (problems.length > 0) {
    refuse(
      `${problems.length} problem${problems.length === 1 ? '' : 's'}:\n` +
        problems.map((problem) => `  - ${problem}`).join('\n'),
    );
  }
  if (keepsPlaces && !expires(table)) {
    void pulumi.log.warn(
      `the table ${name} keeps what Google says of places for ever, which Google's terms do not allow: ` +
        `aws dynamodb update-time-to-live --table-name ${name} ` +
        `--time-to-live-specification Enabled=true,AttributeName=${TABLE_FORM.ttl}`,
    );
  }
}

function expires({ ttl }: Table): boolean {
  return ttl.enabled && ttl.attributeName === TABLE_FORM.ttl;
}

function problemsOf(table: Table, name: string, settings: Settings): string[] {
  const { hashKey, rangeKey } = TABLE_FORM;
  const keys = keysOf(table);
  const wrongKeys =
    keys.join() === `${hashKey},${rangeKey}`
      ? wrongTypes(table, keys, 'the table').map(
          (problem) => `${problem}; keys can't be changed: copy its rows into a table with them`,
        )
      : [
          `its keys are ${keys.join(', ')}, not ${hashKey} and ${rangeKey}; keys can't be changed: ` +
            'copy its rows into a table with these',
        ];
  return [
    ...wrongKeys,
    ...neededIndexes(settings).flatMap((index) => indexProblems(table, name, index)),
  ];
}

/** What `embed_on_arrival` can't do with the table's stream, each with the ways out. */
async function streamProblems(table: Table, name: string): Promise<string[]> {
  const stack = pulumi.getStack();
  const { streamEnabled, streamViewType, streamArn } = table;
  const instead =
    `or embed by a schedule: ${removeCommand('embed_on_arrival', stack)}; ` +
    setCommand('realtime_schedule', stack);
  const update = (specification: string): string =>
    `aws dynamodb update-table --table-name ${name} --stream-specification ${specification}`;
  const enable = update(`StreamEnabled=true,StreamViewType=${TABLE_FORM.streamViewType}`);
  if (!streamEnabled) {
    return [`it has no stream, which embed_on_arrival reads: ${enable}; ${instead}`];
  }
  if (streamViewType !== TABLE_FORM.streamViewType) {
    return [
      `its stream has ${streamViewType} of a row, and embed_on_arrival reads old and new images: ` +
        `${update('StreamEnabled=false')}; ${enable} (it is a new stream: its readers must be told); ${instead}`,
    ];
  }
  const others = await otherReaders(streamArn, name);
  return others.length < MOST_READERS
    ? []
    : [
        `its stream has ${MOST_READERS} readers already, which is the most that DynamoDB serves: ${others.join(', ')}; ` +
          `take one away, ${instead}`,
      ];
}

/** Without an answer nothing is refused: whoever deploys may not be allowed to ask. */
async function otherReaders(streamArn: string, table: string): Promise<string[]> {
  const own = stackName('function', functionStem(noteArrivals), pulumi.getStack());
  try {
    return (await readersOf(streamArn)).filter((reader) => reader !== own).sort();
  } catch (error) {
    const why = error instanceof Error ? error.name : 'no error';
    void pulumi.log.warn(
      `whether the stream of ${table} has ${MOST_READERS} readers already could not be told (lambda:ListEventSourceMappings: ${why}); ` +
        'a third one is throttled, and slows the others down',
    );
    return [];
  }
}

/** The indexes that the functions of the stack query. */
function neededIndexes(settings: Settings): TableIndex[] {
  const functions = stackFunctions(settings);
  const parts = new Set(functions.flatMap(({ table = {} }) => Object.keys(table)));
  return (Object.keys(TABLE_FORM.indexes) as TableIndex[]).filter((index) => parts.has(index));
}

function indexProblems(table: Table, tableName: string, name: TableIndex): string[] {
  const keys = attributesOf(TABLE_FORM.indexes[name]);
  const create = updateCommand(tableName, name, 'Create');
  const index = table.globalSecondaryIndexes.find((each) => each.name === name);
  if (index === undefined) return [`it has no index ${name}: ${create}`];
  const replace = `${updateCommand(tableName, name, 'Delete')}; and once it is gone: ${create}`;
  const own = keysOf(index);
  if (own.join() !== keys.join()) {
    return [
      `the keys of its index ${name} are ${own.join(', ')}, not ${keys.join(', ')}: ${replace}`,
    ];
  }
  return [
    ...wrongTypes(table, keys, `its index ${name}`).map((problem) => `${problem}: ${replace}`),
    ...(index.projectionType === 'ALL' || KEYS_ALONE.includes(name)
      ? []
      : [
          `its index ${name} has ${index.projectionType} of a row, and the functions read whole rows from it: ${replace}`,
        ]),
  ];
}

/** The provider has an empty text for a key that is not there. */
function keysOf({ hashKey, rangeKey }: Pick<Table, 'hashKey' | 'rangeKey'>): string[] {
  return [hashKey, rangeKey].filter((key) => Boolean(key));
}

/** Keys that are no texts. */
function wrongTypes({ attributes }: Table, keys: readonly string[], what: string): string[] {
  return keys.flatMap((key) => {
    const type = attributes.find(({ name }) => name === key)?.type;
    return type === undefined || type === 'S'
      ? []
      : [`the key ${key} of ${what} has the type ${type}, not S`];
  });
}

/** The command of AWS's CLI that makes an index or removes it; DynamoDB takes one at a time. */
function updateCommand(table: string, index: TableIndex, action: 'Create' | 'Delete'): string {
  const keys = TABLE_FORM.indexes[index];
  const update = {
    IndexName: index,
    ...(action === 'Delete'
      ? {}
      : {
          KeySchema: keySchemaOf(keys).map(({ attributeName, keyType }) => ({
            AttributeName: attributeName,
            KeyType: keyType,
          })),
          Projection: { ProjectionType: 'ALL' },
        }),
  };
  const definitions = attributesOf(keys).map((key) => `AttributeName=${key},AttributeType=S`);
  return (
    `aws dynamodb update-table --table-name ${table} ` +
    (action === 'Delete' ? '' : `--attribute-definitions ${definitions.join(' ')} `) +
    `--global-secondary-index-updates '${JSON.stringify([{ [action]: update }])}'`
  );
}
