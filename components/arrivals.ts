import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { ARRIVING_TYPES } from 'receipt-embedding/arrivals/arriving_types';
import { declaration as noteArrivals } from '../simple_lambdas/note_arrivals/declaration.ts';
import { declaration as startArrivals } from '../simple_lambdas/start_arrivals/declaration.ts';
import { QUEUE_READING, STREAM_READING } from './arrival_reading.ts';
import { policyDocument, withoutTls } from './iam.ts';
import type { LambdaFunctions } from './lambda_functions.ts';
import { stackName } from './names.ts';

export interface ArrivalQueuesArgs {
  /** How long a receipt waits after its last change. */
  readonly quietSeconds: number;
}

/** A queue's messages are tried so often before they are put aside. */
const MOST_RECEIVES = 5;

/** What is waiting is a few minutes old; what failed is kept as long as SQS can. */
const WAITING_KEPT_SECONDS = 4 * 86_400;
const FAILED_KEPT_SECONDS = 14 * 86_400;

/**
 * For how long a message that is handled is seen by nobody else: six times the function's timeout, and the time in which messages are
 * gathered (Lambda's guide, "Creating and configuring an Amazon SQS event source mapping").
 */
const INVISIBLE_SECONDS =
  6 * startArrivals.timeout_s + QUEUE_READING.maximumBatchingWindowInSeconds;

/** The queue in which receipts wait until they are quiet, and the one of what failed again and again. */
export class ArrivalQueues extends pulumi.ComponentResource {
  public readonly waiting: aws.sqs.Queue;
  public readonly failed: aws.sqs.Queue;

  constructor(name: string, args: ArrivalQueuesArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:arrivals:ArrivalQueues', name, {}, opts);
    this.failed = this.createQueue('failed-arrivals', {
      messageRetentionSeconds: FAILED_KEPT_SECONDS,
    });
    this.waiting = this.createQueue('arrivals', {
      delaySeconds: args.quietSeconds,
      messageRetentionSeconds: WAITING_KEPT_SECONDS,
      visibilityTimeoutSeconds: INVISIBLE_SECONDS,
      redrivePolicy: pulumi.jsonStringify({
        deadLetterTargetArn: this.failed.arn,
        maxReceiveCount: MOST_RECEIVES,
      }),
    });
    this.registerOutputs({ waiting: this.waiting.arn, failed: this.failed.arn });
  }

  private createQueue(stem: string, args: aws.sqs.QueueArgs): aws.sqs.Queue {
    const parent = { parent: this };
    const queue = new aws.sqs.Queue(
      `${stem}-queue`,
      {
        name: stackName('queue', `receipt-${stem}`, pulumi.getStack()),
        sqsManagedSseEnabled: true,
        ...args,
      },
      parent,
    );
    new aws.sqs.QueuePolicy(
      `${stem}-tls-only`,
      { queueUrl: queue.url, policy: policyDocument([withoutTls(['sqs:*'], [queue.arn])]) },
      parent,
    );
    return queue;
  }
}

export interface ArrivalSourcesArgs {
  readonly functions: Pick<LambdaFunctions, 'byName'>;
  readonly queues: ArrivalQueues;
  /** The stream of the table of receipts. */
  readonly streamArn: pulumi.Input<string>;
}

const REPORTS_FAILURES = { functionResponseTypes: ['ReportBatchItemFailures'] };

/** What lets arrivals be handled by themselves: the table's stream feeds one function, the queue another. */
export class ArrivalSources extends pulumi.ComponentResource {
  constructor(name: string, args: ArrivalSourcesArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:arrivals:ArrivalSources', name, {}, opts);
    const { functions, queues, streamArn } = args;
    const parent = { parent: this };
    new aws.lambda.EventSourceMapping(
      'table-stream-source',
      {
        eventSourceArn: streamArn,
        functionName: functions.byName(noteArrivals.name).arn,
        filterCriteria: {
          filters: recordFilters().map((pattern) => ({ pattern: JSON.stringify(pattern) })),
        },
        destinationConfig: { onFailure: { destinationArn: queues.failed.arn } },
        ...STREAM_READING,
        ...REPORTS_FAILURES,
      },
      parent,
    );
    new aws.lambda.EventSourceMapping(
      'arrivals-source',
      {
        eventSourceArn: queues.waiting.arn,
        functionName: functions.byName(startArrivals.name).arn,
        ...QUEUE_READING,
        ...REPORTS_FAILURES,
      },
      parent,
    );
    this.registerOutputs({});
  }
}

/**
 * Which records invoke the function: those of a receipt's rows, by what the row is or was. Lambda filters a stream by its `dynamodb`
 * part (Lambda's guide, "Using event filtering with a DynamoDB event source").
 */
function recordFilters(): object[] {
  const type = { TYPE: { S: ARRIVING_TYPES } };
  return [{ dynamodb: { NewImage: type } }, { dynamodb: { OldImage: type } }];
}
