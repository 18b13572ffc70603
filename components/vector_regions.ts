import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Settings } from './settings.ts';
import { setCommand } from './stack_settings.ts';

/**
 * The regions without Amazon S3 Vectors, of all that AWS had on 2026-08-20. AWS's list of services by region says so, which
 * prowler-cloud/prowler collects (`prowler/providers/aws/aws_regions_by_service.json`, `s3vectors`). A region that AWS has opened since
 * is taken for one with it; one that got it since is to be removed here.
 */
const WITHOUT_S3_VECTORS: readonly string[] = ['il-central-1', 'me-central-1', 'me-south-1'];

/** Thrown where AWS does not have what a stack asks for; Pulumi shows it without its stack trace. */
class RegionRefused extends pulumi.RunError {
  override readonly name = 'RegionRefused';
}

/**
 * Looks whether the stack's region has the stores, before anything is made: its address would not even have a name there.
 *
 * @throws RegionRefused with the command that sets other stores.
 */
export async function checkVectorStoreRegion({
  vector_stores: stores,
}: Pick<Settings, 'vector_stores'>): Promise<void> {
  if (!stores.includes('s3_vectors')) return;
  const { region } = await aws.getRegion();
  if (!WITHOUT_S3_VECTORS.includes(region)) return;
  const others = stores.filter((store) => store !== 's3_vectors');
  const choice = others.length > 0 ? others.join(',') : 'pinecone';
  throw new RegionRefused(
    `Amazon S3 Vectors, which vector_stores has${others.length > 0 ? '' : ' by default'}, is not in ${region}. ` +
      `Use another store: ${setCommand('vector_stores', pulumi.getStack(), choice)}\n` +
      'What each of them needs is in docs/configuration.md, "Vector stores".',
  );
}
