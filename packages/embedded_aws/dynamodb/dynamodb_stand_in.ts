import type { Server } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import dynalite from 'dynalite';
import type { Service, ServiceRequest, WholeResponse } from '../http/service.ts';
import { keepIndexEntriesApart } from './index_keys.ts';
import { parseConditionsOnce } from './parsed_conditions.ts';

const CREATE_TABLE = 'DynamoDB_20120810.CreateTable';
const DESCRIBE_TABLE = 'DynamoDB_20120810.DescribeTable';

/** DynamoDB: dynalite in memory, answering in this process without a port of its own. */
export class DynamoDBStandIn {
  readonly #server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

  constructor() {
    keepIndexEntriesApart();
    parseConditionsOnce();
  }

  readonly handle: Service = async (request) => {
    const response = await this.#answer(request);
    if (response.status === 200 && request.headers['x-amz-target'] === CREATE_TABLE) {
      await this.#untilActive(request);
    }
    return response;
  };

  #answer(request: ServiceRequest): Promise<WholeResponse> {
    return new Promise((resolve) => {
      this.#server.emit('request', incoming(request), new CapturedResponse(resolve));
    });
  }

  /** dynalite takes a moment even where it is to take none, and until then there is no such table. */
  async #untilActive({ headers, body, ...request }: ServiceRequest): Promise<void> {
    const { TableName } = JSON.parse(body.toString()) as { TableName: string };
    const question = {
      ...request,
      headers: { ...headers, 'x-amz-target': DESCRIBE_TABLE },
      body: Buffer.from(JSON.stringify({ TableName })),
    };
    for (;;) {
      const { body: answer = '' } = await this.#answer(question);
      const { Table } = JSON.parse(answer.toString()) as { Table: { TableStatus: string } };
      if (Table.TableStatus === 'ACTIVE') return;
      await setImmediate();
    }
  }
}

/** The part of an IncomingMessage that dynalite reads. */
function incoming({ method, path, headers, body }: ServiceRequest): Readable {
  return Object.assign(Readable.from(body.length === 0 ? [] : [body]), {
    method,
    url: path,
    headers,
  });
}

/** The part of a ServerResponse that dynalite writes. */
class CapturedResponse {
  statusCode = 200;
  readonly #headers: Record<string, string> = {};
  readonly #resolve: (response: WholeResponse) => void;

  constructor(resolve: (response: WholeResponse) => void) {
    this.#resolve = resolve;
  }

  setHeader(name: string, value: string | number): void {
    this.#headers[name.toLowerCase()] = String(value);
  }

  end(body: string | Buffer = ''): void {
    this.#resolve({ status: this.statusCode, headers: this.#headers, body });
  }
}
