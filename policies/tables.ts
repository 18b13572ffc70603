import { at, mayBe } from './known_values.ts';
import { resourcePolicy } from './policy.ts';

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';

/** Whatever is written to a table can be had back for 35 days. */
export const tablesRecoverable = resourcePolicy(
  {
    name: 'tables-recoverable',
    description: 'Tables can be restored to any second of the last 35 days.',
  },
  [TABLE],
  ({ name, properties }) =>
    mayBe(at(properties, 'pointInTimeRecovery', 'enabled'), true)
      ? []
      : [
          `The table ${name} has no point-in-time recovery: set pointInTimeRecovery to { enabled: true }.`,
        ],
);

export const tablesEncrypted = resourcePolicy(
  {
    name: 'tables-encrypted',
    description: "Tables are encrypted with a key of the account's KMS, which logs each use of it.",
  },
  [TABLE],
  ({ name, properties }) =>
    mayBe(at(properties, 'serverSideEncryption', 'enabled'), true)
      ? []
      : [
          `The table ${name} is encrypted with a key that the account does not see: set serverSideEncryption to { enabled: true }.`,
        ],
);

/**
 * Outside `dev`, nothing deletes what holds data. An advice: to remove a stack, its owner takes the protection
 * away first (the setting `protect_data`).
 */
export const dataProtected = resourcePolicy(
  {
    name: 'data-protected',
    description: 'Outside the stack dev, what holds data is protected from being deleted.',
    enforcementLevel: 'advisory',
  },
  [TABLE, BUCKET],
  ({ type, name, stack, properties }) => {
    if (stack === 'dev') return [];
    if (type === BUCKET) {
      return properties['forceDestroy'] === true
        ? [
            `The bucket ${name} is emptied when the stack is destroyed: set protect_data to true, unless you are about to remove it.`,
          ]
        : [];
    }
    return mayBe(properties['deletionProtectionEnabled'], true)
      ? []
      : [
          `The table ${name} can be deleted: set protect_data to true, unless you are about to remove it.`,
        ];
  },
);
