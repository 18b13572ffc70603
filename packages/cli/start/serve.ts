import { CREDENTIALS, REGION } from 'embedded-aws/aws/embedded_aws';

/** The lines that point the AWS CLI and SDKs at the embedded AWS; the names are for the commands of the README. */
export function exportLines(
  url: string,
  outputs: Readonly<Record<string, string>>,
): readonly string[] {
  const variables = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    ...Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name.toUpperCase(), value]),
    ),
  };
  return Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
}
