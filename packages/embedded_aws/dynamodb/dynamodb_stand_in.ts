import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { awsError, notImplemented } from '../aws/faults.ts';
import { parseJson } from '../http/json_text.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { parseConditionsOnce } from './parsed_conditions.ts';
import { statementAction } from './statement_batch.ts';
import { TableStore } from './table_store.ts';

/** The operations that exist; dynalite has the action and the validation of each in a file of its own. */
const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
] as const;

/** dynalite's own modules, without its HTTP server. */
interface Action {
  readonly perform: (
    store: TableStore,
    request: object,
    done: (error: Error | null, response?: unknown) => void,
  ) => void;
  readonly validation: {
    readonly types: object;
    readonly custom?: (request: object, store: TableStore) => string | undefined;
  };
}

interface Validations {
  readonly checkTypes: (request: unknown, types: object) => object;
  readonly checkValidations: (
    request: object,
    types: object,
    custom: Action['validation']['custom'],
    store: TableStore,
  ) => void;
  readonly validateAttributeValue: (value: object) => string | undefined | null;
}

/** An error that DynamoDB answers with, as dynalite gives it. */
interface Failure extends Error {
  readonly statusCode: number;
  readonly body: object;
}

const require = createRequire(import.meta.url);
const { checkTypes, checkValidations, validateAttributeValue } =
  require('dynalite/validations/index.js') as Validations;
const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ...OPERATIONS.map((operation) => {
    const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`;
    const action = {
      perform: require(`dynalite/actions/${file}`) as Action['perform'],
      validation: require(`dynalite/validations/${file}`) as Action['validation'],
    };
    return [operation, action] as const;
  }),
  [
    'BatchExecuteStatement',
    statementAction({
      updateItem: require('dynalite/actions/updateItem.js') as Action['perform'],
      validateAttributeValue,
    }),
  ],
]);

/** DynamoDB in memory: dynalite's checks, expressions and actions on a store of our own. */
export class DynamoDBStandIn {
  readonly #store: TableStore;
  #requestCount = 0;

  constructor({ region, accountId }: { readonly region: string; readonly accountId: string }) {
    this.#store = new TableStore(region, accountId);
    parseConditionsOnce();
  }

  /**
   * Lets every index show the table as it was so many writes ago, as an index of AWS may. 0 brings them up to date.
   *
   * @default 0
   */
  lagIndexes(writes: number): void {
    this.#store.lagIndexes(writes);
  }

  readonly handle: Service = async (request) => {
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.');
    const action = ACTIONS.get(operation);
    if (action === undefined) return notImplemented('dynamodb', operation);
    if (request.headers.authorization === undefined) {
      const message = 'Request is missing Authentication Token';
      return awsError('dynamodb', 400, 'MissingAuthenticationTokenException', message);
    }
    const response = await this.#answer(action, request);
    // A table becomes active by a timer of no time. This one was started after it.
    if (operation === 'CreateTable') await wait(0);
    this.#requestCount++;
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': String(this.#requestCount),
    };
    return { ...response, headers };
  };

  #answer({ perform, validation }: Action, { body }: ServiceRequest): Promise<ServiceResponse> {
    return new Promise((resolve, reject) => {
      try {
        const request = checkTypes(parsed(body), validation.types);
        checkValidations(request, validation.types, validation.custom, this.#store);
        perform(this.#store, request, (error, response) => {
          if (error == null) resolve({ status: 200, body: JSON.stringify(response) });
          else if (isFailure(error)) resolve(failureAnswer(error));
          else reject(error);
        });
      } catch (error) {
        if (!isFailure(error)) throw error;
        resolve(failureAnswer(error));
      }
    });
  }
}

/** @throws Failure SerializationException */
function parsed(body: Buffer): unknown {
  let value: unknown;
  try {
    value = parseJson(body.toString());
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null) return value;
  throw Object.assign(new Error('not JSON'), {
    statusCode: 400,
    body: { __type: 'com.amazon.coral.service#SerializationException' },
  });
}

function isFailure(error: unknown): error is Failure {
  return error instanceof Error && 'statusCode' in error;
}

function failureAnswer({ statusCode, body }: Failure): ServiceResponse {
  return { status: statusCode, body: JSON.stringify(body) };
}
