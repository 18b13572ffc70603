import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { stackName } from '../names.ts';
import type { Tags } from '../tags.ts';

export interface AlertTopicArgs {
  /**
   * Who gets what is published, once they have confirmed it.
   *
   * @default nobody; anything may be subscribed by hand.
   */
  readonly email?: string;
  readonly tags: Tags;
}

/**
 * Where alarms are published. Not encrypted with AWS's own key, since CloudWatch may not publish to such a topic; an
 * alarm holds names and numbers alone.
 */
export class AlertTopic extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: AlertTopicArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:monitoring:AlertTopic', name, {}, opts);
    const parent = { parent: this };
    const topic = new aws.sns.Topic(
      `${name}-topic`,
      { name: stackName('topic', 'receipt-embedding-alerts', pulumi.getStack()), tags: args.tags },
      parent,
    );
    new aws.sns.TopicPolicy(
      `${name}-policy`,
      { arn: topic.arn, policy: alarmsAlone(topic.arn, this) },
      parent,
    );
    if (args.email !== undefined) {
      new aws.sns.TopicSubscription(
        `${name}-email`,
        { topic: topic.arn, protocol: 'email', endpoint: args.email },
        parent,
      );
    }
    this.arn = topic.arn;
    this.registerOutputs({ arn: this.arn });
  }
}

/** This account's alarms may publish; nobody may without TLS. */
function alarmsAlone(topicArn: pulumi.Output<string>, parent: pulumi.Resource) {
  return pulumi.jsonStringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AlarmsPublish',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: {
            'aws:SourceAccount': aws.getCallerIdentityOutput({}, { parent }).accountId,
          },
        },
      },
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });
}
