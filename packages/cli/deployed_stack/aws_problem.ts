import { type AwsErrorDetails, awsFailure, type AwsFailure } from '../command_line/aws_failure.ts';

/**
 * An error of AWS, of its credentials or of the network in words for people: what happened, to what, and what to do.
 *
 * @param doing what was being done, as the sentence's beginning: "Starting the realtime workflow".
 * @returns undefined when the error is of another kind, and to be thrown again.
 */
export function describeAwsProblem(error: unknown, doing: string): string | undefined {
  const failure = awsFailure(error);
  if (failure === undefined) return undefined;
  return `${doing}: ${explain(failure, error as AwsErrorDetails)}`;
}

function explain(failure: AwsFailure, error: AwsErrorDetails): string {
  switch (failure) {
    case 'expired':
      return (
        `the AWS credentials have expired (${saidBy(error)}). ` +
        'Sign in again (for instance `aws sso login`), then run the command once more.'
      );
    case 'unknown_credentials':
      return (
        `the AWS credentials are missing or not valid (${saidBy(error)}). ` +
        'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` tests them.'
      );
    case 'denied':
      return (
        `AWS denies access: ${deniedAction(error)}. ` +
        'Use credentials that allow this, or have it added to their IAM policy.'
      );
    case 'region':
      return 'it is not known in which AWS region. Set AWS_REGION, for instance AWS_REGION=us-east-1.';
    case 'network':
      return `${endpointOf(error)} can not be reached (${saidBy(error)}). Check the network, AWS_REGION and AWS_ENDPOINT_URL.`;
    case 'throttled':
      return `AWS asks for a slower pace (${saidBy(error)}). Try again in a minute.`;
    case 'server':
      return `AWS failed to answer (${saidBy(error)}). Try again in a minute.`;
  }
}

function saidBy({ name, message, code }: AwsErrorDetails): string {
  const kind = typeof code === 'string' ? code : name;
  return message === '' || message === kind ? kind : `${kind}: ${message}`;
}

/** AWS names the action in its message: "… is not authorized to perform: states:StartExecution on resource: …". */
function deniedAction(error: AwsErrorDetails): string {
  const action = /not authorized to perform:? (?<action>[\w-]+:\w+)/.exec(error.message)?.groups?.[
    'action'
  ];
  return action === undefined ? saidBy(error) : `${action} is not allowed (${saidBy(error)})`;
}

function endpointOf(error: AwsErrorDetails): string {
  if (typeof error.hostname === 'string') return error.hostname;
  const { address, port } = failedConnection(error);
  return typeof address === 'string' && typeof port === 'number'
    ? `${address}:${port}`
    : "AWS's endpoint";
}

/** A name with several addresses is tried at each: Node gives the errors of all. */
function failedConnection(error: AwsErrorDetails): Pick<AwsErrorDetails, 'address' | 'port'> {
  return error instanceof AggregateError ? (error.errors[0] as AwsErrorDetails) : error;
}
