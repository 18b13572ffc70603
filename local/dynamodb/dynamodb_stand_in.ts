import type { Server } from 'node:http';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { keepIndexEntriesApart } from './index_keys.ts';
import { parseConditionsOnce } from './parsed_conditions.ts';

/** DynamoDB: dynalite in memory, answering in this process without a port of its own. */
export class DynamoDBStandIn {
  readonly #server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

  constructor() {
    keepIndexEntriesApart();
    parseConditionsOnce();
  }

  readonly handle: Service = (request) =>
    new Promise((resolve) => {
      this.#server.emit('request', incoming(request), new CapturedResponse(resolve));
    });
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
  readonly #resolve: (response: ServiceResponse) => void;

  constructor(resolve: (response: ServiceResponse) => void) {
    this.#resolve = resolve;
  }

  setHeader(name: string, value: string | number): void {
    this.#headers[name.toLowerCase()] = String(value);
  }

  end(body: string | Buffer = ''): void {
    this.#resolve({ status: this.statusCode, headers: this.#headers, body });
  }
}
