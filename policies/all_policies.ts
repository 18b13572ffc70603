import type { Policies } from '@pulumi/policy';
import {
  bucketsEncrypted,
  bucketsPrivate,
  bucketsTlsOnly,
  dataProtected,
  queuesEncrypted,
  tablesEncrypted,
  tablesRecoverable,
} from './data_stores.ts';
import {
  everythingTagged,
  everythingTraced,
  functionsHaveLogGroups,
  functionsOnArm64,
  logsExpire,
  stateMachinesLogErrors,
  supportedRuntimes,
} from './functions.ts';
import { onePartition } from './partitions.ts';
import {
  noPoliciesOfAws,
  nothingForEverybody,
  noWildcardActions,
  noWildcardResources,
} from './permissions.ts';
import { noKeysInPlainSight, noSecretsInEnvironments } from './secrets.ts';

/** What every stack keeps, in the order in which it is reported. */
export const POLICIES: Readonly<Policies> = [
  bucketsEncrypted,
  bucketsPrivate,
  bucketsTlsOnly,
  tablesRecoverable,
  tablesEncrypted,
  queuesEncrypted,
  dataProtected,
  logsExpire,
  functionsHaveLogGroups,
  stateMachinesLogErrors,
  noWildcardActions,
  noWildcardResources,
  noPoliciesOfAws,
  nothingForEverybody,
  onePartition,
  noSecretsInEnvironments,
  noKeysInPlainSight,
  everythingTagged,
  functionsOnArm64,
  supportedRuntimes,
  everythingTraced,
];
