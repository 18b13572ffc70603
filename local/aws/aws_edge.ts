import { ConnectionCut } from '../http/server.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { classify, type AwsService } from './aws_request.ts';
import {
  AwsFaults,
  errorResponse,
  splitBatch,
  type AwsFault,
  type ObservedRequest,
} from './faults.ts';

export interface AwsEdgeSettings {
  readonly services: Readonly<Record<AwsService, Service>>;
  /** The function that signs with this key. */
  readonly functionOf: (accessKeyId: string) => string | undefined;
  /** Kills the environment that signs with this key. */
  readonly kill: (accessKeyId: string) => void;
}

/** How busy a service was. */
export interface ServiceActivity {
  requests: number;
  milliseconds: number;
}

/** AWS's front door: one service for all of AWS, with faults on demand. */
export class AwsEdge {
  readonly faults = new AwsFaults();
  /** Counts of the requests that functions made. */
  readonly activity = new Map<AwsService, ServiceActivity>();
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
    const started = performance.now();
    const fault = this.faults.strike(observed);
    const response =
      fault === undefined
        ? await this.#settings.services[aws.service](request)
        : await this.#fail(fault, observed, request);
    if (functionName !== undefined) this.#account(aws.service, performance.now() - started);
    return response;
  };

  async #fail(
    fault: AwsFault,
    { service, accessKeyId }: ObservedRequest,
    request: ServiceRequest,
  ): Promise<ServiceResponse> {
    const perform = this.#settings.services[service];
    switch (fault.kind) {
      case 'error':
        return errorResponse(service, fault.status, fault.code);
      case 'cut':
        throw new ConnectionCut();
      case 'kill': {
        if (fault.moment === 'after') await perform(request);
        if (accessKeyId !== undefined) this.#settings.kill(accessKeyId);
        throw new ConnectionCut();
      }
      case 'unprocessed': {
        const { done, unprocessed } = splitBatch(request, fault.processed);
        const response = await perform(done);
        return response.status === 200
          ? { status: 200, body: JSON.stringify({ UnprocessedItems: unprocessed }) }
          : response;
      }
    }
  }

  #account(service: AwsService, milliseconds: number): void {
    const activity = this.activity.get(service) ?? { requests: 0, milliseconds: 0 };
    activity.requests++;
    activity.milliseconds += milliseconds;
    this.activity.set(service, activity);
  }
}
