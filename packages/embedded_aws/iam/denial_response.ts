import type { AwsService } from '../aws/aws_request.ts';
import type { ServiceResponse } from '../http/service.ts';
import { errorDocument, textElement } from '../s3/protocol/xml_writer.ts';

/** Most services answer 400 to what a role does not allow, by their API references. */
const STATUS: Readonly<Record<AwsService, number>> = {
  dynamodb: 400,
  lambda: 403,
  s3: 403,
  secretsmanager: 400,
  states: 400,
};

/** How a service says that the caller may not. */
export function denialResponse(service: AwsService, message: string): ServiceResponse {
  const status = STATUS[service];
  if (service === 's3') {
    const headers = { 'content-type': 'application/xml' };
    const body = errorDocument([
      textElement('Code', 'AccessDenied'),
      textElement('Message', message),
    ]);
    return { status, headers, body };
  }
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-errortype': 'AccessDeniedException',
    },
    body: JSON.stringify({ __type: 'AccessDeniedException', Message: message }),
  };
}
