import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';

/** `GET /indexes/{name}`: Pinecone's control plane, which says where the index is: at the address that was asked. */
export function describeIndex(
  { path, headers }: ServiceRequest,
  { indexName, dimension }: { readonly indexName: string; readonly dimension: number },
): ServiceResponse {
  const asked = decodeURIComponent(path.slice('/indexes/'.length));
  if (asked !== indexName) {
    return json(404, {
      error: { code: 'NOT_FOUND', message: `Resource ${asked} not found` },
      status: 404,
    });
  }
  return json(200, {
    name: indexName,
    host: `http://${headers.host ?? ''}`,
    status: { ready: true, state: 'Ready' },
    deployment: { deployment_type: 'managed', cloud: 'aws', region: 'us-east-1' },
    schema: { fields: { _values: { type: 'dense_vector', dimension, metric: 'cosine' } } },
    deletion_protection: 'disabled',
  });
}

function json(status: number, body: object): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}
