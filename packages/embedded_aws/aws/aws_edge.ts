import { Faults } from '../http/faults.ts';
import { ConnectionCut } from '../http/server.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { awsError, notImplemented, type OwnAwsFault, splitBatch } from './faults.ts';

export const AWS_SERVICES = ['dynamodb', 'lambda', 's3', 'secretsmanager', 'states'] as const;
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
    ({ status, code = 'ServiceUnavailable', message }, { service }) =>
      awsError(service, status, code, message ?? code),
  );
  /** How long functions waited for AWS. */
  readonly waiting = new WaitingTime();
  /** How many requests functions made of each service. */
  readonly requests = new Map<AwsService, number>();
  readonly #settings: AwsEdgeSettings;

  constructor(settings: AwsEdgeSettings) {
    this.#settings = settings;
  }

  readonly handle: Service = async (request) => {
    const aws = classify(request);
    const target = request.headers['x-amz-target'];
    // Services that tell their operations by this header speak JSON, as DynamoDB does.
    if (target !== undefined && aws.service === 's3')
      return notImplemented('dynamodb', String(target));
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

  async #serve(observed: ObservedRequest, request: ServiceRequest): Promise<ServiceResponse> {
    const { accessKeyId, functionName } = observed;
    const { guard, services } = this.#settings;
    const service = services[observed.service];
    return guard === undefined || accessKeyId === undefined || functionName === undefined
      ? await service(request)
      : await guard(accessKeyId, observed, request, service);
  }

  async #fail(
    fault: OwnAwsFault,
    observed: ObservedRequest,
    request: ServiceRequest,
  ): Promise<ServiceResponse> {
    if ('kill' in fault) {
      if (fault.moment === 'after') await this.#serve(observed, request);
      if (observed.accessKeyId !== undefined) this.#settings.kill(observed.accessKeyId);
      throw new ConnectionCut();
    }
    const { done, unprocessed } = splitBatch(request, fault.processed);
    const response = done === undefined ? undefined : await this.#serve(observed, done);
    return response === undefined || response.status === 200
      ? { status: 200, body: JSON.stringify({ UnprocessedItems: unprocessed }) }
      : response;
  }
}

const TARGETS: Readonly<Record<string, AwsService>> = {
  DynamoDB_20120810: 'dynamodb',
  AWSStepFunctions: 'states',
  secretsmanager: 'secretsmanager',
};

/** Tells AWS's services apart as they come in on one port: by the target header, else by the path. */
export function classify(request: ServiceRequest): AwsRequest {
  const accessKeyId = /Credential=(?<key>[^/,]+)\//.exec(request.headers.authorization ?? '')
    ?.groups?.['key'];
  const [prefix = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const service = TARGETS[prefix];
  if (service !== undefined) return { service, operation, accessKeyId };
  if (request.path.startsWith('/2015-03-31/functions/')) {
    return { service: 'lambda', operation: 'Invoke', accessKeyId };
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
