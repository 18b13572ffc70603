import { Faults } from '../http/faults.ts';
import { ConnectionCut } from '../http/server.ts';
import type {
  Admission,
  RequestHead,
  Service,
  ServiceRequest,
  ServiceResponse,
} from '../http/service.ts';
import { mappingOperation } from '../event_sources/mappings_api.ts';
import { operationName as vectorsOperation } from '../s3_vectors/requests.ts';
import {
  awsError,
  bodyBound,
  executePart,
  internalError,
  notImplemented,
  type OwnAwsFault,
  signatureRefusal,
  splitBatch,
} from './faults.ts';
import { type SigningKey, signatureParts, signatureProblem } from './signature.ts';

export const AWS_SERVICES = [
  'dynamodb',
  'lambda',
  'logs',
  's3',
  's3vectors',
  'secretsmanager',
  'sqs',
  'states',
] as const;
export type AwsService = (typeof AWS_SERVICES)[number];

/** What a request to AWS asks for, as far as that is told without its body. */
export interface AwsRequest {
  readonly service: AwsService;
  /** `Query`, `GetSecretValue`, …; for S3, which has no name for it in the request, `PUT /bucket/key`. */
  readonly operation: string;
  /** Whose key it is signed with; undefined when it is not signed. */
  readonly accessKeyId: string | undefined;
}

/** A request to AWS, and the function that makes it (undefined when a person does). */
export interface ObservedRequest extends AwsRequest {
  readonly functionName: string | undefined;
  readonly body: Buffer;
}

export interface AwsEdgeSettings {
  readonly services: Readonly<Record<AwsService, Service>>;
  /** The key with this id: a person's, or a function environment's. Nobody else is served. */
  readonly keyOf: (accessKeyId: string) => SigningKey | undefined;
  /** The function that signs with this key. */
  readonly functionOf: (accessKeyId: string) => string | undefined;
  /** Kills the environment that signs with this key. */
  readonly kill: (accessKeyId: string) => void;
  /**
   * Hands a function's request on to its service, or answers for it.
   *
   * @default everything is handed on.
   */
  readonly guard?: Guard;
}

export type Guard = (
  accessKeyId: string,
  aws: AwsRequest,
  request: ServiceRequest,
  service: Service,
) => Promise<ServiceResponse>;

/** AWS's front door: one service for all of AWS, with faults on demand. */
export class AwsEdge {
  readonly faults = new Faults<ObservedRequest, OwnAwsFault>(
    ({ status, code: said, message }, { service }) => {
      const code = said ?? 'ServiceUnavailable';
      return awsError(service, status, code, message ?? code);
    },
  );
  /** How long functions waited for AWS. */
  readonly waiting = new WaitingTime();
  /** How many requests functions made of each service. */
  readonly requests = new Map<AwsService, number>();
  readonly #settings: AwsEdgeSettings;

  constructor(settings: AwsEdgeSettings) {
    this.#settings = settings;
  }

  /** For `serve`: what S3's requests, which may be large, must be before their bodies come, and how large each may be. */
  readonly admit = (head: RequestHead): Admission => {
    const { service } = classify(head);
    const bound = bodyBound(service);
    if (service !== 's3' || isOfUnknownService(head)) return bound;
    const refusal = this.#refusal(service, head, undefined);
    return refusal === undefined ? bound : { refusal };
  };

  readonly handle: Service = async (request) => {
    const aws = classify(request);
    if (isOfUnknownService(request)) {
      // Services that tell their operations by this header speak JSON, as DynamoDB does.
      return notImplemented('dynamodb', String(request.headers['x-amz-target']));
    }
    const refusal = this.#refusal(aws.service, request, request.body);
    if (refusal !== undefined) return refusal;
    const { accessKeyId } = aws;
    const functionName =
      accessKeyId === undefined ? undefined : this.#settings.functionOf(accessKeyId);
    const observed: ObservedRequest = { ...aws, functionName, body: request.body };
    const perform = (): Promise<ServiceResponse> =>
      this.faults.perform(
        observed,
        () => this.#serve(observed, request),
        (fault) => this.#fail(fault, observed, request),
      );
    if (accessKeyId === undefined || functionName === undefined) return await perform();
    this.requests.set(aws.service, (this.requests.get(aws.service) ?? 0) + 1);
    return await this.waiting.during(accessKeyId, perform);
  };

  #refusal(
    service: AwsService,
    head: RequestHead,
    body: Buffer | undefined,
  ): ServiceResponse | undefined {
    const problem = signatureProblem(head, service, this.#settings.keyOf, body);
    return problem === undefined ? undefined : signatureRefusal(service, problem);
  }

  async #serve(observed: ObservedRequest, request: ServiceRequest): Promise<ServiceResponse> {
    const { accessKeyId, functionName } = observed;
    const { guard, services } = this.#settings;
    const service = services[observed.service];
    try {
      return guard === undefined || accessKeyId === undefined || functionName === undefined
        ? await service(request)
        : await guard(accessKeyId, observed, request, service);
    } catch (error) {
      if (error instanceof ConnectionCut) throw error;
      return internalError(observed.service, error);
    }
  }

  async #fail(
    fault: OwnAwsFault,
    observed: ObservedRequest,
    request: ServiceRequest,
  ): Promise<ServiceResponse> {
    const serve: Service = (part) => this.#serve(observed, part);
    if ('kill' in fault) {
      const { moment, executed = Infinity } = fault;
      if (moment === 'after' && executed === Infinity) await this.#serve(observed, request);
      else if (moment === 'after') await executePart(request, { executed, code: '' }, serve);
      if (observed.accessKeyId !== undefined) this.#settings.kill(observed.accessKeyId);
      throw new ConnectionCut();
    }
    if ('executed' in fault) return await executePart(request, fault, serve);
    const { done, unprocessed } = splitBatch(request, fault.processed);
    const response = done === undefined ? undefined : await this.#serve(observed, done);
    return response === undefined || response.status === 200
      ? { status: 200, body: JSON.stringify({ UnprocessedItems: unprocessed }) }
      : response;
  }
}

const TARGETS: Readonly<Record<string, AwsService>> = {
  AmazonSQS: 'sqs',
  DynamoDB_20120810: 'dynamodb',
  // One service to a signature (its clients sign for `dynamodb`), and to roles.
  DynamoDBStreams_20120810: 'dynamodb',
  AWSStepFunctions: 'states',
  Logs_20140328: 'logs',
  secretsmanager: 'secretsmanager',
};

/** `/PutVectors`: no bucket of S3 has a name with capital letters. */
const VECTORS_OPERATION = /^\/[A-Z][A-Za-z]+$/;

/** Whether a request names a service of AWS that does not exist here. */
function isOfUnknownService(head: RequestHead): boolean {
  return head.headers['x-amz-target'] !== undefined && classify(head).service === 's3';
}

/** Tells AWS's services apart as they come in on one port: by the target header, else by the path and whom it is signed for. */
export function classify(request: RequestHead): AwsRequest {
  const { accessKeyId, service: signedFor } = signatureParts(request.headers.authorization) ?? {};
  const [prefix = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const service = TARGETS[prefix];
  if (service !== undefined) return { service, operation, accessKeyId };
  if (request.path.startsWith('/2015-03-31/functions/')) {
    return { service: 'lambda', operation: 'Invoke', accessKeyId };
  }
  const ofMapping = mappingOperation(request);
  if (ofMapping !== undefined) return { service: 'lambda', operation: ofMapping, accessKeyId };
  if (signedFor === 's3vectors' || VECTORS_OPERATION.test(request.path)) {
    return { service: 's3vectors', operation: vectorsOperation(request), accessKeyId };
  }
  return { service: 's3', operation: `${request.method} ${request.path}`, accessKeyId };
}

/**
 * How long callers waited for answers. A caller with several requests under way waits once: what is added up is the time
 * in which it had at least one.
 */
export class WaitingTime {
  readonly #callers = new Map<string, { pending: number; since: number }>();
  #milliseconds = 0;

  get milliseconds(): number {
    return this.#milliseconds;
  }

  async during<Result>(caller: string, work: () => Promise<Result>): Promise<Result> {
    const state = this.#callers.get(caller) ?? { pending: 0, since: 0 };
    this.#callers.set(caller, state);
    if (state.pending === 0) state.since = performance.now();
    state.pending++;
    try {
      return await work();
    } finally {
      state.pending--;
      if (state.pending === 0) {
        this.#milliseconds += performance.now() - state.since;
        this.#callers.delete(caller);
      }
    }
  }
}
