import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import type { BatchOptions } from './batches/batch_options.ts';
import { Batches, type BatchTotals } from './batches/batches.ts';
import { BatchesEndpoint } from './batches/batches_endpoint.ts';
import { parseLine } from './batches/request_line.ts';
import { FileStore } from './files/file_store.ts';
import { FilesEndpoint, maxFileBytes } from './files/files_endpoint.ts';
import { type Operation, OperationFaults, type OperationRequest } from './operation_faults.ts';
import type { Route } from './routing.ts';

/** What the batches and their files have come to. */
export interface BatchUsage extends BatchTotals {
  /** Uploaded. */
  readonly files: number;
}

/** The Files and the Batches API of one account. */
export class BatchApi {
  readonly batches: Batches;
  readonly faults = new OperationFaults();
  readonly #files: FilesEndpoint;
  readonly #store: FileStore;
  readonly #endpoint: BatchesEndpoint;

  constructor(options: BatchOptions) {
    const { latencyMs = 0, clock = () => new Date(), expireShare = 0, shuffle = true } = options;
    this.#store = new FileStore(clock);
    this.batches = new Batches(this.#store, { latencyMs, clock, expireShare, shuffle });
    this.#files = new FilesEndpoint(this.#store, options.maxFileBytes ?? maxFileBytes);
    this.#endpoint = new BatchesEndpoint(this.batches);
  }

  get usage(): BatchUsage {
    return { files: this.#files.uploads, ...this.batches.totals };
  }

  get routes(): readonly Route[] {
    const files = this.#files;
    const batches = this.#endpoint;
    return [
      this.#route('files.create', 'POST /v1/files', (request) => files.create(request)),
      this.#route('files.retrieve', 'GET /v1/files/{id}', (_, id) => files.retrieve(id)),
      this.#route('files.content', 'GET /v1/files/{id}/content', (_, id) => files.content(id)),
      this.#route('files.delete', 'DELETE /v1/files/{id}', (_, id) => files.delete(id)),
      this.#route('batches.create', 'POST /v1/batches', (request) => batches.create(request)),
      this.#route('batches.retrieve', 'GET /v1/batches/{id}', (_, id) => batches.retrieve(id)),
      this.#route('batches.list', 'GET /v1/batches', (request) => batches.list(request)),
      this.#route('batches.cancel', 'POST /v1/batches/{id}/cancel', (_, id) => batches.cancel(id)),
    ];
  }

  #route(
    operation: Operation,
    methodAndPath: string,
    handle: (request: ServiceRequest, id: string) => ServiceResponse,
  ): Route {
    const [method = '', path = ''] = methodAndPath.split(' ');
    return {
      method,
      path,
      answer: (request, id) => {
        const about = operation === 'batches.create' ? aboutNewBatch(request) : { operation, id };
        return this.faults.perform(about, () => handle(request, id));
      },
    };
  }
}

function aboutNewBatch({ body }: ServiceRequest): OperationRequest {
  const { input_file_id: id, metadata } = parseLine(body.toString()) ?? {};
  return { operation: 'batches.create', id: typeof id === 'string' ? id : '', metadata };
}
