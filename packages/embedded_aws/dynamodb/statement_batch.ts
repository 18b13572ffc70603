import db, { type TableDefinition } from 'dynalite/db/index.js';
import type { TableStore } from './table_store.ts';
import {
  type Condition,
  STATEMENT_FORM,
  type UpdateStatement,
  updateStatement,
} from './update_statement.ts';

/** In DynamoDB's JSON: the type's letter and the value. */
type AttributeValue = Readonly<Record<string, unknown>>;
type Item = Readonly<Record<string, AttributeValue>>;

interface Statement {
  readonly Statement: string;
  readonly Parameters?: readonly AttributeValue[];
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}

interface StatementBatch {
  readonly Statements: readonly Statement[];
}

/** What became of one statement. */
interface StatementAnswer {
  readonly TableName?: string;
  readonly Error?: { readonly Code: string; readonly Message: string; readonly Item?: Item };
}

/** The request as dynalite's checks of types describe one. */
const TYPES = {
  // dynalite does not know what a statement in vain consumes.
  ReturnConsumedCapacity: { type: 'String', enum: ['NONE'] },
  Statements: {
    type: 'List',
    notNull: true,
    lengthGreaterThanOrEqual: 1,
    lengthLessThanOrEqual: 25,
    children: {
      type: 'ValueStruct<BatchStatementRequest>',
      children: {
        Statement: {
          type: 'String',
          notNull: true,
          lengthGreaterThanOrEqual: 1,
          lengthLessThanOrEqual: 8_192,
        },
        Parameters: { type: 'List', children: 'AttrStruct<ValueStruct>' },
        ConsistentRead: 'Boolean',
        ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] },
      },
    },
  },
};

type ActionError = Error & { readonly body?: { readonly __type?: string } };

/** Parts of dynalite. */
interface Dynalite {
  readonly updateItem: (
    store: TableStore,
    request: object,
    done: (error: ActionError | null) => void,
  ) => void;
  /** What is wrong with a value. */
  readonly validateAttributeValue: (value: object) => string | undefined | null;
}

/**
 * BatchExecuteStatement, as an action of dynalite's: performs statements one after the other; each has an outcome of its own, and
 * none undoes another.
 *
 * Each is an UpdateItem with `Expected`, which says the same: conditions that must all hold, on a row that exists.
 */
export function statementAction(dynalite: Dynalite) {
  return {
    perform: (
      store: TableStore,
      request: object,
      done: (error: Error | null, response?: unknown) => void,
    ): void => {
      const { Statements } = request as StatementBatch;
      const unknown = Statements.find(({ Statement }) => updateStatement(Statement) === undefined);
      if (unknown !== undefined) {
        done(notTaken(unknown.Statement));
        return;
      }
      const execution = new Execution(store, dynalite);
      done(null, { Responses: Statements.map((statement) => execution.execute(statement)) });
    },
    validation: { types: TYPES },
  };
}

function notTaken(statement: string): Error {
  const message = `The embedded AWS does not take the statement ${statement} – only ${STATEMENT_FORM}`;
  const body = { __type: 'NotImplemented', message };
  return Object.assign(new Error(message), { statusCode: 501, body });
}

class Execution {
  readonly #store: TableStore;
  readonly #dynalite: Dynalite;

  constructor(store: TableStore, dynalite: Dynalite) {
    this.#store = store;
    this.#dynalite = dynalite;
  }

  execute({
    Statement: text,
    Parameters = [],
    ReturnValuesOnConditionCheckFailure: onFailure,
  }: Statement): StatementAnswer {
    const statement = updateStatement(text);
    if (statement?.parameters !== Parameters.length) {
      const message = "Number of parameters in request and statement don't match.";
      return failed('ValidationError', message);
    }
    for (const value of Parameters) {
      const problem = this.#dynalite.validateAttributeValue(value);
      if (typeof problem === 'string') return failed('ValidationError', problem);
    }
    const { table: TableName } = statement;
    const table = this.#store.tableDb.read(TableName) as TableDefinition | undefined;
    if (table === undefined) return failed('ResourceNotFound', 'Requested resource not found');
    const request = updateRequest(statement, Parameters, table);
    if (request === undefined) {
      const message = 'Where clause does not contain a mandatory equality on all key attributes';
      return failed('ValidationError', message);
    }
    const error = this.#update(request);
    if (error === null) return { TableName };
    const Code = statementCode(error.body?.__type ?? '');
    if (Code !== 'ConditionalCheckFailed') return failed(Code, error.message);
    const Item = onFailure === 'ALL_OLD' ? this.#item(table, request.Key) : undefined;
    const found = Item === undefined ? {} : { Item };
    return { TableName, Error: { Code, Message: error.message, ...found } };
  }

  /** @returns null when it is done: the store answers at once, so nobody comes between two statements. */
  #update(request: UpdateRequest): ActionError | null {
    let outcome: ActionError | null = null;
    this.#dynalite.updateItem(this.#store, request, (error) => {
      outcome = error ?? null;
    });
    return outcome;
  }

  #item(table: TableDefinition, key: Item): Item | undefined {
    const rows = this.#store.getItemDb(table.TableName);
    return rows.read(db.createKey(key, table)) as Item | undefined;
  }
}

function failed(Code: string, Message: string): StatementAnswer {
  return { Error: { Code, Message } };
}

/** The errors of a statement are named like those of a request, except for their ends. */
function statementCode(type: string): string {
  const code = type.slice(type.indexOf('#') + 1);
  return code === 'ValidationException' ? 'ValidationError' : code.replace(/Exception$/, '');
}

interface UpdateRequest {
  readonly TableName: string;
  readonly Key: Item;
  readonly AttributeUpdates: Readonly<Record<string, object>>;
  readonly Expected: Readonly<Record<string, object>>;
}

/** @returns undefined where the conditions do not name one row. */
function updateRequest(
  { table: TableName, set, remove, where }: UpdateStatement,
  parameters: readonly AttributeValue[],
  table: TableDefinition,
): UpdateRequest | undefined {
  let next = 0;
  const parameter = (): AttributeValue => parameters[next++] ?? {};
  const AttributeUpdates: Record<string, object> = {};
  for (const name of set) AttributeUpdates[name] = { Action: 'PUT', Value: parameter() };
  for (const name of remove) AttributeUpdates[name] = { Action: 'DELETE' };
  const keys = new Set(table.KeySchema.map(({ AttributeName }) => AttributeName));
  const Key: Record<string, AttributeValue> = {};
  // A row that does not exist has none of its keys.
  const Expected: Record<string, object> = {};
  for (const name of keys) Expected[name] = { ComparisonOperator: 'NOT_NULL' };
  for (const condition of where) {
    const value = condition.test === 'equals' ? parameter() : undefined;
    const isKey = keys.has(condition.attribute);
    if (isKey && value !== undefined) Key[condition.attribute] = value;
    else if (!isKey) Expected[condition.attribute] = expectation(condition, value);
  }
  if (Object.keys(Key).length < keys.size) return undefined;
  return { TableName, Key, AttributeUpdates, Expected };
}

function expectation({ test }: Condition, value: AttributeValue | undefined): object {
  if (value !== undefined) return { ComparisonOperator: 'EQ', AttributeValueList: [value] };
  return { ComparisonOperator: test === 'missing' ? 'NULL' : 'NOT_NULL' };
}
