import type { ApiKeys } from '../../../components/api_keys.ts';
import type { Bundles } from '../../../components/bundling/bundles.ts';
import {
  EmbeddingInfrastructure,
  type EmbeddingInfrastructureArgs,
} from '../../../components/embedding_infrastructure.ts';
import { settingsSchema } from '../../../components/settings.ts';
import { componentCase, type ComponentCase, fieldByField, several } from './component_case.ts';

const SETTINGS = settingsSchema.parse({ pinecone_index_name: 'receipts' });

export const INFRASTRUCTURE: readonly ComponentCase[] = [
  componentCase<EmbeddingInfrastructureArgs>(
    'EmbeddingInfrastructure',
    (args, options) => new EmbeddingInfrastructure('ours', args, options),
    {
      settings: SETTINGS,
      secrets: { openai_api_key: 'key' },
      bundles: { layer: 'bundles/layer', handler: (name) => `bundles/${name}` },
    },
    {
      // Each setting: tests/infra/configuration.test.ts.
      settings: { ...SETTINGS, max_concurrency: 11 },
      secrets: fieldByField<ApiKeys>({
        openai_api_key: 'another',
        google_places_api_key: 'another',
        pinecone_api_key: 'another',
      }),
      bundles: fieldByField<Bundles>({
        layer: 'bundles/another',
        handler: several<Bundles['handler']>((name) => `others/${name}`),
      }),
    },
  ),
];
