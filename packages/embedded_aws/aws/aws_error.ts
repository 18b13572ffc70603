import type { ServiceResponse } from '../http/service.ts';
import { errorAnswer, S3Error } from '../s3/answers.ts';
import type { AwsService } from './aws_edge.ts';

/** An error in the service's own form. */
export function awsError(
  service: AwsService,
  status: number,
  code: string,
  message: string,
): ServiceResponse {
  if (service === 's3') return errorAnswer(new S3Error(status, code, message));
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message, Message: message }),
  };
}

/** What the embedded AWS answers to an operation of AWS that it does not have. */
export function notImplemented(service: AwsService, operation: string): ServiceResponse {
  const message = `${operation} is not implemented by the embedded AWS.`;
  return awsError(service, 501, 'NotImplemented', message);
}
