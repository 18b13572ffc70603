import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
} from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../entities/keys.ts';
import { ConcurrentUpdate, RateLimited, UpstreamUnavailable } from '../errors.ts';
import type { LayerError } from '../layer_error.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from '../retry.ts';
import { mapSettled } from '../settled_map.ts';
import { deniedAction, judgeAws, shownAwsName } from '../vendor_answers/aws.ts';
import { vendorError } from '../vendor_answers/verdict.ts';
import { toItem, toRow } from './rows.ts';
import type { Table } from './table.ts';

/** BatchExecuteStatement's own limit (docs/data_model.md §4). */
export const STATEMENTS_A_REQUEST = 25;

/**
 * Requests of one call that are under way at a time: 100 rows, a tenth of what one partition of an index takes in a second (1,000 write
 * units: AWS's guide, "Best practices for designing and using partition keys").
 */
export const REQUESTS_AT_ONCE = 4;

/** What a row becomes, and what it must be for that. It must exist. */
export interface RowChange {
  readonly key: RowKey;
  readonly set: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  /** The value that each attribute must have; undefined: the row must not have it. */
  readonly where: RowCondition;
}

export type RowCondition = Readonly<Record<string, unknown>>;

/** `changed`: it is done. `unmet`: the row is otherwise, and as it comes along; undefined where it does not exist. */
export type RowOutcome =
  { readonly outcome: 'changed' } | { readonly outcome: 'unmet'; readonly row: Row | undefined };

/** Another write of the same row was under way: nothing is known of the row. */
export interface RowConflict {
  readonly outcome: 'conflict';
  readonly error: ConcurrentUpdate;
}

/**
 * Changes rows, each on its own condition, 25 a request and 4 requests at once: a quarter of the CPU that an UpdateItem for each takes, at
 * the same write units (`npm run bench:receipt`). A row that does not meet its condition comes along, so that it need not be read. What is throttled, or fails at
 * AWS, is sent again, and nothing else with it. No two changes may be of one row.
 *
 * @returns what became of each, in their order; nothing is sent for none.
 * @throws RateLimited, UpstreamUnavailable when tries are used up; InvalidConfiguration, InvalidRequest. Then no request is under way
 * any more; those before it have been made.
 * @example
 * ```ts
 * const where = { text: 'MILK', embedding_status: 'NONE', embedding_batch_id: undefined };
 * await changeRows(table, [{ key, set: { embedding_status: 'SUCCESS' }, where }]);
 * // [{ outcome: 'unmet', row: { PK: 'IMAGE#3f52…', text: 'MILKY', embedding_status: 'NONE', … } }]
 * ```
 */
export async function changeRows(
  table: Table,
  changes: readonly RowChange[],
  ports?: RetryPorts,
): Promise<(RowOutcome | RowConflict)[]> {
  const outcomes = await mapSettled(chunks(changes), (chunk) => changeChunk(table, chunk, ports), {
    atOnce: REQUESTS_AT_ONCE,
  });
  return outcomes.flat();
}

/**
 * Changes one row. @see changeRows
 *
 * @throws ConcurrentUpdate when another write of it was under way; what changeRows throws.
 */
export async function changeRow(
  table: Table,
  change: RowChange,
  ports?: RetryPorts,
): Promise<RowOutcome> {
  const [found] = (await changeChunk(table, [change], ports)) as [RowOutcome | RowConflict];
  if (found.outcome === 'conflict') throw found.error;
  return found;
}

function* chunks(changes: readonly RowChange[]): Generator<readonly RowChange[]> {
  for (let at = 0; at < changes.length; at += STATEMENTS_A_REQUEST) {
    yield changes.slice(at, at + STATEMENTS_A_REQUEST);
  }
}

async function changeChunk(
  table: Table,
  changes: readonly RowChange[],
  ports: RetryPorts | undefined,
): Promise<(RowOutcome | RowConflict)[]> {
  const outcomes: (RowOutcome | RowConflict)[] = [];
  let left = changes.map((change, at) => ({ at, statement: statementOf(table.name, change) }));
  const send = async (): Promise<void> => {
    const Statements = left.map(({ statement }) => statement);
    const { Responses = [] } = await table.client.send(
      new BatchExecuteStatementCommand({ Statements }),
    );
    const failures: LayerError[] = [];
    left = left.filter(({ at }, index) => {
      const outcome = outcomeOf(Responses[index]);
      if (outcome instanceof Error) failures.push(outcome);
      else outcomes[at] = outcome;
      return outcome instanceof Error;
    });
    const failure = failures.find((error) => !isPassing(error)) ?? failures[0];
    if (failure !== undefined) throw failure;
  };
  await retrying(RETRY_POLICIES.dynamodb_bulk, send, ports);
  return outcomes;
}

function isPassing(error: LayerError): boolean {
  return error instanceof RateLimited || error instanceof UpstreamUnavailable;
}

function outcomeOf(
  answer: BatchStatementResponse | undefined,
): RowOutcome | RowConflict | LayerError {
  if (answer === undefined) return new UpstreamUnavailable('DynamoDB left a statement unanswered');
  if (answer.Error === undefined) return { outcome: 'changed' };
  const { Code = 'an unknown error', Message = '', Item } = answer.Error;
  if (Code === 'ConditionalCheckFailed') {
    return { outcome: 'unmet', row: Item === undefined ? undefined : toRow(Item) };
  }
  const name = shownAwsName(Code);
  const what = `a statement of BatchExecuteStatementCommand failed: ${name}${deniedAction(Message)}`;
  const error = vendorError(judgeAws(Code, undefined), what, name);
  return error instanceof ConcurrentUpdate ? { outcome: 'conflict', error } : error;
}

/** Attributes whose names are reserved words of DynamoDB's. */
const RESERVED = new Set(['text']);

function attribute(name: string): string {
  return RESERVED.has(name) ? `"${name}"` : name;
}

/** As PartiQL, its values as parameters. A table's name may hold dots and dashes, so it is quoted always. */
function statementOf(
  table: string,
  { key: { PK, SK }, set, remove = [], where }: RowChange,
): BatchStatementRequest {
  const conditions = Object.entries<unknown>({ PK, SK, ...where });
  const compared = conditions.filter(([, value]) => value !== undefined);
  const values = [...Object.values(set), ...compared.map(([, value]) => value)];
  const tests = conditions.map(
    ([name, value]) => `${attribute(name)} ${value === undefined ? 'IS MISSING' : '= ?'}`,
  );
  const clauses = [
    ...Object.keys(set).map((name) => `SET ${attribute(name)} = ?`),
    ...remove.map((name) => `REMOVE ${attribute(name)}`),
  ];
  return {
    Statement: `UPDATE "${table}" ${clauses.join(' ')} WHERE ${tests.join(' AND ')}`,
    Parameters: values.flatMap((value) => Object.values(toItem({ value }))),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
