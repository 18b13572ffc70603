import { ConnectionCut } from '../http/server.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { type AwsRequest, type AwsService, classify } from './aws_request.ts';
import {
  type AwsFault,
  AwsFaults,
  errorResponse,
  type ObservedRequest,
  splitBatch,
} from './faults.ts';
import { WaitingTime } from './waiting_time.ts';

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
  readonly faults = new AwsFaults();
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
    const { accessKeyId } = aws;
    const functionName =
      accessKeyId === undefined ? undefined : this.#settings.functionOf(accessKeyId);
    const observed: ObservedRequest = { ...aws, functionName, body: request.body };
    const perform = (): Promise<ServiceResponse> => this.#perform(observed, request);
    if (accessKeyId === undefined || functionName === undefined) return await perform();
    this.requests.set(aws.service, (this.requests.get(aws.service) ?? 0) + 1);
    return await this.waiting.during(accessKeyId, perform);
  };

  async #perform(observed: ObservedRequest, request: ServiceRequest): Promise<ServiceResponse> {
    const fault = this.faults.strike(observed);
    return fault === undefined
      ? await this.#serve(observed, request)
      : await this.#fail(fault, observed, request);
  }

  async #serve(observed: ObservedRequest, request: ServiceRequest): Promise<ServiceResponse> {
    const { accessKeyId, functionName } = observed;
    const { guard, services } = this.#settings;
    const service = services[observed.service];
    return guard === undefined || accessKeyId === undefined || functionName === undefined
      ? await service(request)
      : await guard(accessKeyId, observed, request, service);
  }

  async #fail(
    fault: AwsFault,
    observed: ObservedRequest,
    request: ServiceRequest,
  ): Promise<ServiceResponse> {
    const { service, accessKeyId } = observed;
    const perform = (asked: ServiceRequest): Promise<ServiceResponse> =>
      this.#serve(observed, asked);
    switch (fault.kind) {
      case 'error':
        return errorResponse(service, fault.status, fault.code);
      case 'cut':
        if (fault.moment === 'after') await perform(request);
        throw new ConnectionCut();
      case 'kill': {
        if (fault.moment === 'after') await perform(request);
        if (accessKeyId !== undefined) this.#settings.kill(accessKeyId);
        throw new ConnectionCut();
      }
      case 'unprocessed': {
        const { done, unprocessed } = splitBatch(request, fault.processed);
        const response = done === undefined ? undefined : await perform(done);
        return response === undefined || response.status === 200
          ? { status: 200, body: JSON.stringify({ UnprocessedItems: unprocessed }) }
          : response;
      }
    }
  }
}
