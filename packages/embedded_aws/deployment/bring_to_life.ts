import { cp, mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { asset } from '@pulumi/pulumi';
import type { EventSourceMappings } from '../event_sources/event_source_mappings.ts';
import type { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import type { S3StandIn } from '../s3/s3_stand_in.ts';
import type { S3VectorsStandIn } from '../s3_vectors/s3_vectors_stand_in.ts';
import type { SchedulerStandIn } from '../scheduler/scheduler_stand_in.ts';
import type { SecretsManagerStandIn } from '../secrets_manager/secrets_manager_stand_in.ts';
import type { SqsStandIn } from '../sqs/sqs_stand_in.ts';
import type { StepFunctionsStandIn } from '../step_functions/step_functions_stand_in.ts';
import { createMapping, createQueue } from './event_resources.ts';
import type { RegisteredResource } from './pulumi_program.ts';
import { createTable, type TableState } from './tables.ts';

/** The stand-ins that resources live on. */
export interface StandIns {
  readonly s3: S3StandIn;
  readonly s3vectors: S3VectorsStandIn;
  readonly dynamodb: DynamoDBClient;
  readonly secrets: SecretsManagerStandIn;
  readonly lambda: LambdaStandIn;
  readonly stepFunctions: StepFunctionsStandIn;
  readonly scheduler: SchedulerStandIn;
  readonly sqs: SqsStandIn;
  readonly eventSources: EventSourceMappings;
  /** Where functions are installed; removed with everything else. */
  readonly functionsFolder: string;
}

/** Resources that only say who may do what, how data lies, or what is logged and watched: nothing of them runs here. */
const WITHOUT_LOCAL_EFFECT = new Set([
  'aws:cloudwatch/dashboard:Dashboard',
  'aws:cloudwatch/logGroup:LogGroup',
  'aws:cloudwatch/metricAlarm:MetricAlarm',
  'aws:cloudwatch/queryDefinition:QueryDefinition',
  'aws:iam/role:Role',
  'aws:iam/rolePolicy:RolePolicy',
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
  'aws:s3/bucketPolicy:BucketPolicy',
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
  'aws:s3/bucketVersioning:BucketVersioning',
  'aws:sns/topic:Topic',
  'aws:sns/topicPolicy:TopicPolicy',
  'aws:sns/topicSubscription:TopicSubscription',
  'aws:sqs/queuePolicy:QueuePolicy',
  'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy',
  'pulumi:index:Stash',
]);

/**
 * Lets each resource that the program has registered come to life on its stand-in.
 *
 * @throws for a resource that the embedded AWS does not know: it would be missing without a word.
 */
export async function bringToLife(
  resources: readonly RegisteredResource[],
  standIns: StandIns,
): Promise<void> {
  const layers = new Map(
    resources
      .filter(({ type }) => type === 'aws:lambda/layerVersion:LayerVersion')
      .map(({ state }) => [state['arn'] as string, state['code'] as asset.FileArchive]),
  );
  for (const resource of resources) {
    if (resource.component !== true) await create(resource, layers, standIns);
  }
}

async function create(
  { type, state }: RegisteredResource,
  layers: Layers,
  standIns: StandIns,
): Promise<void> {
  switch (type) {
    case 'aws:s3/bucket:Bucket':
      standIns.s3.createBucket(state['bucket'] as string);
      return;
    case 'aws:s3/vectorsVectorBucket:VectorsVectorBucket':
      standIns.s3vectors.createVectorBucket(state['vectorBucketName'] as string);
      return;
    case 'aws:s3/vectorsIndex:VectorsIndex':
      createVectorsIndex(state as unknown as VectorsIndexState, standIns.s3vectors);
      return;
    case 'aws:dynamodb/table:Table':
      await createTable(state as unknown as TableState, standIns.dynamodb);
      return;
    case 'aws:secretsmanager/secret:Secret':
      standIns.secrets.createSecret(state['name'] as string, state['arn'] as string);
      return;
    case 'aws:secretsmanager/secretVersion:SecretVersion':
      standIns.secrets.putSecretValue(state['secretId'] as string, state['secretString'] as string);
      return;
    case 'aws:lambda/layerVersion:LayerVersion':
      return;
    case 'aws:lambda/function:Function':
      await installFunction(state as unknown as FunctionState, layers, standIns);
      return;
    case 'aws:sfn/stateMachine:StateMachine':
      standIns.stepFunctions.createStateMachine({
        name: state['name'] as string,
        roleArn: state['roleArn'] as string,
        type: (state['type'] ?? 'STANDARD') as 'STANDARD',
        definition: JSON.parse(state['definition'] as string) as object,
        loggingConfiguration: state['loggingConfiguration'] as object,
      });
      return;
    case 'aws:scheduler/schedule:Schedule':
      createSchedule(state as unknown as ScheduleState, standIns.scheduler);
      return;
    case 'aws:sqs/queue:Queue':
      createQueue(state, standIns.sqs);
      return;
    case 'aws:lambda/eventSourceMapping:EventSourceMapping':
      createMapping(state, standIns.eventSources);
      return;
    default:
      if (WITHOUT_LOCAL_EFFECT.has(type)) return;
      throw new Error(`the program deploys a ${type}, which the embedded AWS does not know`);
  }
}

interface VectorsIndexState {
  readonly vectorBucketName: string;
  readonly indexName: string;
  readonly dimension: number;
  readonly distanceMetric: string;
  readonly metadataConfiguration?: { readonly nonFilterableMetadataKeys: readonly string[] };
}

function createVectorsIndex(
  { metadataConfiguration, ...state }: VectorsIndexState,
  s3vectors: S3VectorsStandIn,
): void {
  const { nonFilterableMetadataKeys } = metadataConfiguration ?? {};
  s3vectors.createIndex({ ...state, nonFilterableMetadataKeys });
}

interface ScheduleState {
  readonly name: string;
  readonly scheduleExpression: string;
  readonly target: { readonly arn: string; readonly roleArn: string; readonly input: string };
}

function createSchedule(
  { name, scheduleExpression, target }: ScheduleState,
  scheduler: SchedulerStandIn,
): void {
  scheduler.createSchedule({
    name,
    expression: scheduleExpression,
    stateMachineArn: target.arn,
    roleArn: target.roleArn,
    input: target.input,
  });
}

/** What the program registers of a function, as far as it is needed here. */
export interface FunctionState {
  readonly name: string;
  readonly arn: string;
  readonly role: string;
  readonly handler: string;
  readonly code: asset.FileArchive;
  readonly layers?: readonly string[];
  readonly memorySize?: number;
  readonly timeout?: number;
  readonly environment?: { readonly variables?: Readonly<Record<string, string>> };
}

/** The layers' archives, by their ARNs. */
export type Layers = ReadonlyMap<string, asset.FileArchive>;

interface FunctionsHome {
  readonly lambda: LambdaStandIn;
  /** Where functions are installed. */
  readonly functionsFolder: string;
}

/**
 * Installs a function as Lambda does: its code in a folder of its own, its layer's packages on its module path. Lambda has the
 * latter by an option of its runtime; here the layer's folder stands where Node looks anyway.
 *
 * @throws for more than one layer, and for one of another program.
 */
async function installFunction(
  state: FunctionState,
  layers: Layers,
  { lambda, functionsFolder }: FunctionsHome,
): Promise<void> {
  const { layers: layerArns = [] } = state;
  const [layerArn] = layerArns;
  const layer = layerArn === undefined ? undefined : layers.get(layerArn);
  if (layerArns.length > 1 || (layerArn !== undefined && layer === undefined)) {
    throw new Error(
      `${state.name} has the layers ${layerArns.join(', ')}: the embedded AWS knows one layer of this program at most`,
    );
  }
  const root = join(functionsFolder, state.name);
  await mkdir(root, { recursive: true });
  if (layer !== undefined) {
    const packages = join(resolve(await layer.path), 'nodejs/node_modules');
    await symlink(packages, join(root, 'node_modules'), 'dir');
  }
  // A copy, not a link: Node looks for packages beside the file that a link leads to.
  await cp(resolve(await state.code.path), join(root, 'task'), { recursive: true });
  const [file = '', exportName = ''] = state.handler.split('.');
  lambda.createFunction({
    functionName: state.name,
    functionArn: state.arn,
    roleArn: state.role,
    handlerFile: join(root, 'task', `${file}.mjs`),
    exportName,
    // What is not said is Lambda's default.
    memorySize: state.memorySize ?? 128,
    timeout: state.timeout ?? 3,
    environment: state.environment?.variables ?? {},
  });
}
