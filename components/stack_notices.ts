import * as pulumi from '@pulumi/pulumi';
import { setCommand, type Settings } from './settings.ts';

/** Says what a stack lacks without Pinecone, and how to have it. */
export function sayThatBatchPathIsMissing(resource: pulumi.Resource): void {
  const stack = pulumi.getStack();
  const commands = [
    setCommand('pinecone_index_name', stack),
    setCommand('pinecone_api_key', stack),
  ];
  void pulumi.log.info(
    `the batch path is not deployed, since it needs Pinecone: ${commands.join('; ')}`,
    resource,
  );
}

/**
 * Says how what the stack has created will be removed one day: nobody should have to find that out from a refusal. Of a
 * stack that has adopted all of it there is nothing to say.
 */
export function sayWhatIsProtected(
  settings: Settings,
  batchPath: boolean,
  resource: pulumi.Resource,
): void {
  const adopted = [
    settings.dynamodb_table_name,
    settings.chromadb_bucket_name,
    ...(batchPath ? [settings.batch_bucket_name] : []),
  ];
  if (!adopted.includes(undefined)) return;
  const stack = pulumi.getStack();
  void pulumi.log.info(
    `what holds data is protected: to remove it, npx pulumi config set --stack ${stack} protect_data false; ` +
      `npx pulumi up --stack ${stack}; npx pulumi destroy --stack ${stack}`,
    resource,
  );
}
