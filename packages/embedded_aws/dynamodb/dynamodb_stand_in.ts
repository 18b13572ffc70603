import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { awsError, notImplemented } from '../aws/faults.ts';
import { parseJson } from '../http/json_text.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { parseConditionsOnce } from './parsed_conditions.ts';
import { statementAction } from './statement_batch.ts';
import { createTableAction } from './streams/create_table.ts';
import { streamsApi } from './streams/streams_api.ts';
import { type StreamPorts, TableStreams } from './streams/table_streams.ts';
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
    return [operation, operation === 'CreateTable' ? createTableAction(action) : action] as const;
  }),
  [
    'BatchExecuteStatement',
    statementAction({
      updateItem: require('dynalite/actions/updateItem.js') as Action['perform'],
      validateAttributeValue,
    }),
  ],
]);

/** Of this machine, what is not given. */
type DynamoDBPorts = Pick<StreamPorts, 'region' | 'accountId'> & Partial<StreamPorts>;

/** DynamoDB in memory: dynalite's checks, expressions and actions on a store of our own, and streams. */
export class DynamoDBStandIn {
  readonly streams: TableStreams;
  readonly #store: TableStore;
  readonly #streamsApi: Service;
  #requestCount = 0;

  constructor(ports: DynamoDBPorts) {
    const { region, accountId, clock = () => new Date(), newId = randomUUID } = ports;
    this.streams = new TableStreams({ region, accountId, clock, newId });
    this.#streamsApi = streamsApi(this.streams, clock);
    this.#store = new TableStore(region, accountId, this.streams);
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
    const [prefix, operation = ''] = String(request.headers['x-amz-target']).split('.');
    if (prefix === 'DynamoDBStreams_20120810') return await this.#streamsApi(request);
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
