import { PolicyPack } from '@pulumi/policy';
import { POLICIES } from './all_policies.ts';

new PolicyPack('receipt-embeddings', {
  description: 'What every resource of a stack of receipt embeddings must keep',
  enforcementLevel: 'mandatory',
  policies: [...POLICIES],
});
