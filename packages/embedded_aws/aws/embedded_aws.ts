import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { bringToLife } from '../deployment/bring_to_life.ts';
import {
  type Deployment,
  type ProgramSettings,
  runPulumiProgram,
} from '../deployment/pulumi_program.ts';
import { createExistingTables } from '../deployment/tables.ts';
import { LogsStandIn } from '../cloudwatch_logs/logs_stand_in.ts';
import { DynamoDBStandIn } from '../dynamodb/dynamodb_stand_in.ts';
import { EventSourceMappings } from '../event_sources/event_source_mappings.ts';
import { mappingOperation, mappingsApi } from '../event_sources/mappings_api.ts';
import { serve } from '../http/server.ts';
import { Iam } from '../iam/iam.ts';
import { guardFunctions } from '../iam/request_guard.ts';
import { Invocations } from '../lambda/invocations.ts';
import { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import { S3StandIn } from '../s3/s3_stand_in.ts';
import { S3VectorsStandIn } from '../s3_vectors/s3_vectors_stand_in.ts';
import { every, SchedulerStandIn } from '../scheduler/scheduler_stand_in.ts';
import { SecretsManagerStandIn } from '../secrets_manager/secrets_manager_stand_in.ts';
import { SqsStandIn } from '../sqs/sqs_stand_in.ts';
import { StepFunctionsStandIn } from '../step_functions/step_functions_stand_in.ts';
import { AwsEdge } from './aws_edge.ts';
import { type Credentials, REGION } from './client_settings.ts';
import { type AwsClients, createClients } from './clients.ts';
import { REAL_TIME } from './time.ts';

export interface EmbeddedAwsSettings extends Omit<
  ProgramSettings,
  'region' | 'accountId' | 'partition' | 'sqsUrl'
> {
  /** 0 takes any free port. */
  readonly port: number;
  /** What functions write to their logs. */
  readonly onLog?: (functionName: string, line: string) => void;
  /**
   * What the wait between two tries of a state shall be, milliseconds.
   *
   * @default as the state machine says
   */
  readonly retryDelay?: (milliseconds: number) => number;
  /**
   * What the waits of queues and event source mappings shall be, milliseconds: a message's delay, the time until it is visible again
   * after its function has failed, that for a batch to fill, and that before a retry. A message is hidden as long as its queue says
   * while a function has it.
   *
   * @default as the queue or mapping says
   */
  readonly eventDelay?: (milliseconds: number) => number;
  /**
   * Let functions, state machines and schedules do what their roles allow, and nothing else.
   *
   * @default false
   */
  readonly enforceIam?: boolean;
}

const ACCOUNT_ID = '000000000000';
const HOME = { region: REGION, accountId: ACCOUNT_ID } as const;

/** Whoever holds it is a person, and may do everything. */
const PERSON = 'local';

/** The Pulumi program, deployed onto stand-ins of AWS's services behind one port. */
export interface EmbeddedAws {
  readonly url: string;
  /** A person's, for the AWS CLI and SDKs: the secret is made anew at each start, and opens nothing else. @see clientSettings */
  readonly credentials: Credentials;
  readonly deployment: Deployment;
  readonly dynamodb: DynamoDBStandIn;
  readonly s3: S3StandIn;
  readonly s3vectors: S3VectorsStandIn;
  readonly lambda: LambdaStandIn;
  readonly sqs: SqsStandIn;
  /** Streams and queues that functions are invoked for: `idle()` resolves when all is delivered. */
  readonly eventSources: EventSourceMappings;
  /** Those of Step Functions and of event source mappings. */
  readonly invocations: Invocations;
  readonly stepFunctions: StepFunctionsStandIn;
  readonly edge: AwsEdge;
  /** With `enforceIam`: the roles, and what was asked under each. */
  readonly iam: Iam | undefined;
  readonly clients: AwsClients;
  /** Ends everything that runs, and removes the temporary folder. */
  readonly close: () => Promise<void>;
}

/**
 * Starts the embedded AWS. Everything is in memory, but for a temporary folder.
 *
 * @throws what the program throws (a wrong configuration), and when the port can't be had; nothing is left running then.
 */
export async function startEmbeddedAws(settings: EmbeddedAwsSettings): Promise<EmbeddedAws> {
  const started: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return { ...(await assemble(settings, (end) => started.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  settings: EmbeddedAwsSettings,
  onClose: (end: () => unknown) => void,
): Promise<Omit<EmbeddedAws, 'close'>> {
  const folder = await mkdtemp(join(tmpdir(), 'embedded-aws-'));
  onClose(() => rm(folder, { recursive: true, force: true }));
  const { clock } = REAL_TIME;
  const credentials = {
    accessKeyId: PERSON,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
  const iam = settings.enforceIam === true ? new Iam(ACCOUNT_ID) : undefined;
  const s3 = new S3StandIn({ clock });
  const s3vectors = new S3VectorsStandIn({ ...HOME, clock });
  const dynamodb = new DynamoDBStandIn({ ...HOME, clock, newId: randomUUID });
  const secrets = new SecretsManagerStandIn();

  const door: { edge?: AwsEdge } = {};
  const server = await serve((request) => required(door.edge).handle(request), settings.port, {
    admit: (head) => required(door.edge).admit(head),
  });
  onClose(() => server.close());
  const eventDelay = settings.eventDelay === undefined ? {} : { eventDelay: settings.eventDelay };
  const events = { ...REAL_TIME, region: REGION, newId: randomUUID, ...eventDelay };
  const sqs = new SqsStandIn({ ...events, accountId: ACCOUNT_ID, url: server.url });
  onClose(() => {
    sqs.close();
  });
  const logs = new LogsStandIn({
    isFunction: (name) => lambda.find(`:function:${name}`) !== undefined,
    clock,
  });
  const lambda: LambdaStandIn = new LambdaStandIn({
    region: REGION,
    endpointUrl: server.url,
    temporaryFolder: folder,
    newId: randomUUID,
    onLog: (functionName, line) => {
      logs.write(functionName, line);
      settings.onLog?.(functionName, line);
    },
  });
  onClose(() => lambda.close());
  const invocations = new Invocations(lambda);
  const eventSources = new EventSourceMappings({
    ...events,
    findStream: (arn) => dynamodb.streams.find(arn),
    findQueue: (arn) => sqs.queueOf(arn),
    findFunction: (name) => lambda.find(name),
    deliver: (functionArn, sourceArn, event) => invocations.deliver(functionArn, sourceArn, event),
    ...(iam === undefined
      ? {}
      : {
          authorize: ({ roleArn, functionName: session }, action, resource) => {
            iam.require({ roleArn, session }, { action, resource });
          },
        }),
  });
  onClose(() => {
    eventSources.close();
  });
  const handleMappings = mappingsApi(eventSources);
  const stepFunctions = new StepFunctionsStandIn({
    ...HOME,
    invokeLambda: invocations.invoke,
    ...(iam === undefined
      ? {}
      : {
          authorize: (roleArn, action, resource) => {
            iam.require({ roleArn, session: 'state-machine' }, { action, resource });
          },
        }),
    objects: s3,
    clock,
    newId: randomUUID,
    ...(settings.retryDelay === undefined ? {} : { retryDelay: settings.retryDelay }),
  });
  onClose(() => stepFunctions.close());
  const edge = new AwsEdge({
    services: {
      dynamodb: dynamodb.handle,
      lambda: (request) =>
        (mappingOperation(request) === undefined ? lambda.handle : handleMappings)(request),
      logs: logs.handle,
      s3: s3.handle,
      s3vectors: s3vectors.handle,
      secretsmanager: secrets.handle,
      sqs: sqs.handle,
      states: stepFunctions.handle,
    },
    keyOf: (accessKeyId) =>
      accessKeyId === credentials.accessKeyId ? credentials : lambda.keyOf(accessKeyId),
    functionOf: (accessKeyId) => lambda.callerOf(accessKeyId)?.functionName,
    kill: (accessKeyId) => {
      lambda.kill(accessKeyId);
    },
    ...(iam === undefined ? {} : { guard: guardFunctions(iam, lambda, HOME) }),
  });
  door.edge = edge;

  const clients = createClients({ url: server.url, credentials });
  onClose(() => {
    clients.dynamodb.destroy();
    clients.s3.destroy();
    clients.s3vectors.destroy();
    clients.sfn.destroy();
  });
  const scheduler = new SchedulerStandIn({
    startExecution: async (roleArn, stateMachineArn, input) => {
      const call = { action: 'states:StartExecution', resource: stateMachineArn };
      iam?.require({ roleArn, session: 'schedule' }, call);
      return await clients.sfn.send(new StartExecutionCommand({ stateMachineArn, input }));
    },
    every,
    onFailure: (name, error) => settings.onLog?.(name, `could not start: ${String(error)}`),
  });
  onClose(() => {
    scheduler.close();
  });
  const deployment = await runPulumiProgram({ ...settings, ...HOME, sqsUrl: server.url });
  iam?.deploy(deployment.resources);
  await createExistingTables(settings.existingTables ?? {}, clients.dynamodb);
  await bringToLife(deployment.resources, {
    s3,
    s3vectors,
    dynamodb: clients.dynamodb,
    secrets,
    lambda,
    stepFunctions,
    scheduler,
    sqs,
    eventSources,
    functionsFolder: join(folder, 'functions'),
  });
  return {
    ...{
      url: server.url,
      credentials,
      deployment,
      dynamodb,
      s3,
      s3vectors,
      lambda,
      invocations,
      stepFunctions,
    },
    ...{ sqs, eventSources, edge, iam, clients },
  };
}

function required(edge: AwsEdge | undefined): AwsEdge {
  if (edge === undefined) throw new Error('the embedded AWS is still starting');
  return edge;
}
