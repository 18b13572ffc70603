import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { AnalyzerClient } from '@pulumi/pulumi/proto/analyzer_grpc_pb.js';
import {
  AnalyzeRequest,
  type AnalyzeResponse,
  type AnalyzerInfo,
  AnalyzerPropertyDependencies,
  AnalyzerResource,
  AnalyzerResourceOptions,
  AnalyzeStackRequest,
  EnforcementLevel,
} from '@pulumi/pulumi/proto/analyzer_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const NOBODY = '127.0.0.1:1';

/** A resource as Pulumi's engine shows it to a policy pack. */
export interface ShownResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** As they go over the wire: secrets are marked, unknown values have their own mark. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** The URNs of the resources that a property comes from. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

export interface Complaint {
  readonly policy: string;
  readonly level: 'advisory' | 'mandatory' | 'other';
  /** The name of the resource. */
  readonly about: string;
  readonly message: string;
}

/** The policy pack as a process of its own, started the way Pulumi starts it, and asked in its protocol. */
export class PolicyPackProcess {
  readonly #child: ChildProcess;
  readonly #client: AnalyzerClient;

  private constructor(child: ChildProcess, client: AnalyzerClient) {
    this.#child = child;
    this.#client = client;
  }

  /** @throws when it ends before it listens, with what it printed. */
  static async start(): Promise<PolicyPackProcess> {
    const child = spawn(
      `${PROJECT}node_modules/.bin/node`,
      [`${PROJECT}node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js`, NOBODY, '.'],
      {
        cwd: `${PROJECT}policies`,
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    // Its first line is its port.
    for await (const line of createInterface({ input: child.stdout })) {
      const client = new AnalyzerClient(`127.0.0.1:${line}`, credentials.createInsecure());
      return new PolicyPackProcess(child, client);
    }
    throw new Error(`the policy pack did not start: ${errors}`);
  }

  async stop(): Promise<void> {
    this.#client.close();
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  async info(): Promise<AnalyzerInfo.AsObject> {
    return await new Promise((resolve, reject) => {
      this.#client.getAnalyzerInfo(new empty.Empty(), (error, info) => {
        if (error === null) resolve(info.toObject());
        else reject(error);
      });
    });
  }

  /** All complaints about these resources: about each by itself, then about what they are to each other. */
  async complaints(resources: readonly ShownResource[]): Promise<Complaint[]> {
    const alone = resources.map(async (resource) => {
      const request = new AnalyzeRequest();
      request.setType(resource.type).setName(resource.name).setUrn(resource.urn);
      request.setProperties(struct.Struct.fromJavaScript(resource.properties as never));
      request.setOptions(new AnalyzerResourceOptions());
      return await this.#ask((done) => this.#client.analyze(request, done));
    });
    const stack = new AnalyzeStackRequest();
    stack.setResourcesList(resources.map(inStack));
    const together = this.#ask((done) => this.#client.analyzeStack(stack, done));
    return (await Promise.all([...alone, together])).flat();
  }

  async #ask(
    call: (done: (error: ServiceError | null, response: AnalyzeResponse) => void) => unknown,
  ): Promise<Complaint[]> {
    const response = await new Promise<AnalyzeResponse>((resolve, reject) => {
      call((error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
    return response.getDiagnosticsList().map((diagnostic) => ({
      policy: diagnostic.getPolicyname(),
      level: LEVELS.get(diagnostic.getEnforcementlevel()) ?? 'other',
      about: diagnostic.getUrn().split('::').at(-1) ?? '',
      message: diagnostic.getMessage(),
    }));
  }
}

const LEVELS: ReadonlyMap<EnforcementLevel, Complaint['level']> = new Map([
  [EnforcementLevel.ADVISORY, 'advisory'],
  [EnforcementLevel.MANDATORY, 'mandatory'],
]);

function inStack({ type, name, urn, properties, sources }: ShownResource): AnalyzerResource {
  const shown = new AnalyzerResource();
  shown.setType(type).setName(name).setUrn(urn).setOptions(new AnalyzerResourceOptions());
  shown.setProperties(struct.Struct.fromJavaScript(properties as never));
  for (const [property, urns] of Object.entries(sources)) {
    const from = new AnalyzerPropertyDependencies();
    shown.getPropertydependenciesMap().set(property, from.setUrnsList([...urns]));
  }
  return shown;
}
