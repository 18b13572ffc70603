import { describe, expect, it } from 'vitest';
import { describeAwsProblem } from './aws_problem.ts';

function failing(name: string, message: string, details: object = {}): Error {
  return Object.assign(new Error(message), { name }, details);
}

const DENIED =
  'User: arn:aws:iam::111122223333:user/me is not authorized to perform: states:StartExecution on resource: arn:x';

describe('a problem of AWS', () => {
  it.each([
    [
      'expired credentials',
      failing('ExpiredTokenException', 'The security token included in the request is expired'),
      /^Counting: the AWS credentials have expired \(ExpiredTokenException: The security token.*aws sso login/,
    ],
    [
      'a single sign-on that has run out',
      failing('CredentialsProviderError', 'The SSO session has expired or is invalid'),
      /^Counting: the AWS credentials have expired/,
    ],
    [
      'no credentials',
      failing('CredentialsProviderError', 'Could not load credentials from any providers'),
      /^Counting: the AWS credentials are missing or not valid \(.*AWS_PROFILE/,
    ],
    [
      "credentials of another account's",
      failing('UnrecognizedClientException', 'The security token is invalid', {
        $metadata: { httpStatusCode: 400 },
      }),
      /are missing or not valid/,
    ],
    [
      'access denied, with its action',
      failing('AccessDeniedException', DENIED),
      /^Counting: AWS denies access: states:StartExecution is not allowed \(AccessDeniedException: User: arn/,
    ],
    [
      'access denied, without a word',
      failing('AccessDenied', 'AccessDenied'),
      /^Counting: AWS denies access: AccessDenied\. /,
    ],
    [
      'a 403 of another name',
      failing('Forbidden', 'no', { $metadata: { httpStatusCode: 403 } }),
      /AWS denies access: Forbidden: no/,
    ],
    ['no region', new Error('Region is missing'), /Set AWS_REGION/],
    [
      'a name that nobody knows',
      failing('Error', 'getaddrinfo ENOTFOUND states.nowhere.amazonaws.com', {
        code: 'ENOTFOUND',
        hostname: 'states.nowhere.amazonaws.com',
      }),
      /^Counting: states\.nowhere\.amazonaws\.com can't be reached \(ENOTFOUND: getaddrinfo.*Check the network/,
    ],
    [
      'a port that nobody listens at',
      failing('Error', 'connect ECONNREFUSED 127.0.0.1:4566', {
        code: 'ECONNREFUSED',
        address: '127.0.0.1',
        port: 4566,
      }),
      /^Counting: 127\.0\.0\.1:4566 can't be reached .*Is `npm start -- --serve` still running\?/,
    ],
    [
      'a name with several addresses, all refusing',
      Object.assign(
        new AggregateError([Object.assign(new Error('x'), { address: '::1', port: 4566 })], ''),
        { code: 'ECONNREFUSED' },
      ),
      /^Counting: ::1:4566 can't be reached \(ECONNREFUSED\)/,
    ],
    [
      'a connection that was cut',
      failing('Error', 'socket hang up', { code: 'ECONNRESET' }),
      /^Counting: AWS's endpoint can't be reached \(ECONNRESET: socket hang up\)/,
    ],
    ['a timeout', failing('TimeoutError', 'no answer'), /can't be reached/],
    [
      'throttling',
      failing('ThrottlingException', 'Rate exceeded'),
      /a slower pace \(ThrottlingException: Rate exceeded\)/,
    ],
    [
      'a failure of its own',
      failing('InternalFailure', 'oops', { $fault: 'server', $metadata: { httpStatusCode: 500 } }),
      /AWS failed to answer \(InternalFailure: oops\)/,
    ],
  ])('is told in words: %s', (_, error, words) => {
    expect(describeAwsProblem(error, 'Counting')).toMatch(words);
  });

  it.each([
    ['a bug', new TypeError('undefined is not a function')],
    [
      'a thing that is not there',
      failing('ExecutionDoesNotExist', 'Execution Does Not Exist', {
        $fault: 'client',
        $metadata: { httpStatusCode: 400 },
      }),
    ],
    ['a file that is not there', failing('Error', 'ENOENT', { code: 'ENOENT' })],
    ['no error at all', 'expired'],
  ])('is not %s', (_, error) => {
    expect(describeAwsProblem(error, 'Counting')).toBeUndefined();
  });
});
