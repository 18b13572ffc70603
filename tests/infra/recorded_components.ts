import * as pulumi from '@pulumi/pulumi';
import { registeredState } from 'embedded-aws/deployment/registered_state';
import { ACCOUNT_ID, REGION } from './recorded_program.ts';
import { recordRegistrations } from './recorded_registrations.ts';

const ACCOUNT = { project: 'receipt-embeddings', region: REGION, accountId: ACCOUNT_ID };
/** A component that is made alone hangs under this one. */
const PARENT = 'tests:infra:Parent';

/** What was registered, each resource under `type::name` with all that can differ of it. */
export type Picture = Readonly<Record<string, unknown>>;

/** The picture of what `create` registers under the given parent, in the stack `dev`. */
export async function recordComponent(create: (parent: pulumi.Resource) => void): Promise<Picture> {
  pulumi.runtime.setAllConfig({ 'aws:region': REGION });
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) =>
        registeredState(type, name, inputs as Record<string, unknown>, ACCOUNT),
      call: ({ token, inputs }) => answer(token, inputs as Record<string, unknown>),
    },
    'receipt-embeddings',
    'dev',
    false,
  );
  const { registrations } = await recordRegistrations(() => {
    create(new pulumi.ComponentResource(PARENT, 'parent'));
  });
  return Object.fromEntries(
    registrations
      .filter(({ type }) => type !== PARENT)
      .map(({ type, name, dependencies, inputDependencies, ...rest }) => [
        `${type}::${name}`,
        {
          ...rest,
          dependencies: dependencies.toSorted(),
          inputDependencies: Object.fromEntries(
            Object.entries(inputDependencies).map(([input, from]) => [input, from.toSorted()]),
          ),
        },
      ]),
  );
}

function answer(token: string, inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  switch (token) {
    case 'aws:index/getPartition:getPartition':
      return { partition: 'aws' };
    case 'aws:index/getRegion:getRegion':
      return { region: REGION };
    case 'aws:index/getCallerIdentity:getCallerIdentity':
      return { accountId: ACCOUNT_ID };
    case 'aws:dynamodb/getTable:getTable':
      return registeredState('aws:dynamodb/table:Table', '', inputs, ACCOUNT).state;
    case 'aws:s3/getBucket:getBucket':
      return registeredState('aws:s3/bucket:Bucket', '', inputs, ACCOUNT).state;
    default:
      throw new Error(`a component calls ${token}, which this test has no answer for`);
  }
}
