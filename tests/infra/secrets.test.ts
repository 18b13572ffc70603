import { beforeAll, describe, expect, it } from 'vitest';
import { without } from '../support/without.ts';
import {
  OPENAI_KEY,
  PINECONE_KEY,
  PLACES_KEY,
  type RecordedDeployment,
  resource,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: what Pulumi's engine does with a marked value, and that a function logs none (that is the functions' own test).

/** How Pulumi's protocol marks a secret, on purpose not taken from its code: the marker itself is looked for. */
const MARK = { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270' };

const SECRET = 'aws:secretsmanager/secret:Secret';
const VERSION = 'aws:secretsmanager/secretVersion:SecretVersion';

describe('the API keys', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram({
      ...WITH_PINECONE,
      secrets: { ...WITH_PINECONE.secrets, google_places_api_key: PLACES_KEY },
    });
  });

  it.each([
    ['openai-api-key', OPENAI_KEY],
    ['google-places-api-key', PLACES_KEY],
    ['pinecone-api-key', PINECONE_KEY],
  ])('%s is in one input of the whole stack, marked as a secret', (what, value) => {
    const holders = deployed.registrations.filter(({ wireInputs }) =>
      JSON.stringify(wireInputs).includes(value),
    );

    expect(holders.map(({ type, wireInputs }) => ({ type, wireInputs }))).toStrictEqual([
      {
        type: VERSION,
        wireInputs: {
          secretId: `arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-${what}-dev-000000`,
          secretString: { ...MARK, value },
        },
      },
    ]);
  });

  it('are in no output of the stack', () => {
    expect(JSON.stringify(deployed.outputs)).not.toMatch(
      new RegExp(`${OPENAI_KEY}|${PLACES_KEY}|${PINECONE_KEY}`),
    );
  });

  it.each(['openai', 'google-places', 'pinecone'])(
    'of %s is in a secret that is deleted at once, so that the stack can be deployed again',
    (vendor) => {
      const name = `receipt-embedding-${vendor}-api-key`;
      expect(without(resource(deployed, SECRET, `${name}-secret`), 'tags')).toStrictEqual({
        name: `${name}-dev`,
        recoveryWindowInDays: 0,
      });
    },
  );
});
