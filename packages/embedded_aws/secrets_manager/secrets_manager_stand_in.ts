import { awsError, notImplemented } from '../aws/faults.ts';
import { parseJsonObject } from '../http/json_text.ts';
import type { Service, ServiceResponse } from '../http/service.ts';

interface Secret {
  readonly name: string;
  readonly arn: string;
  value: string | undefined;
}

/** Secrets Manager: GetSecretValue, by name or ARN. */
export class SecretsManagerStandIn {
  readonly #secrets = new Map<string, Secret>();

  createSecret(name: string, arn: string): void {
    const secret: Secret = { name, arn, value: undefined };
    this.#secrets.set(name, secret);
    this.#secrets.set(arn, secret);
  }

  /** @throws when there is no such secret. */
  putSecretValue(nameOrArn: string, value: string): void {
    const secret = this.#secrets.get(nameOrArn);
    if (secret === undefined) throw new Error(`there is no secret ${nameOrArn}`);
    secret.value = value;
  }

  readonly handle: Service = (request) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    return Promise.resolve(
      operation === 'GetSecretValue'
        ? this.#getSecretValue(request.body.toString())
        : notImplemented('secretsmanager', operation),
    );
  };

  #getSecretValue(body: string): ServiceResponse {
    const fields = parseJsonObject(body === '' ? '{}' : body);
    const { SecretId: id = '' } = fields ?? {};
    if (fields === undefined || typeof id !== 'string') {
      return failure(
        'SerializationException',
        'The request body is not the JSON of this operation.',
      );
    }
    if (id === '') {
      return failure('ValidationException', 'Invalid request: SecretId is required.');
    }
    const secret = this.#secrets.get(id);
    if (secret?.value === undefined) {
      return failure(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      );
    }
    return {
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({
        ARN: secret.arn,
        Name: secret.name,
        SecretString: secret.value,
        VersionStages: ['AWSCURRENT'],
      }),
    };
  }
}

function failure(code: string, message: string): ServiceResponse {
  return awsError('secretsmanager', 400, code, message);
}
