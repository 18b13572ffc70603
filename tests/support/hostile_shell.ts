import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** Every environment variable of AWS that the SDK, as it is installed, has the name of. */
export function variablesOfTheSdk(): string[] {
  const files = globSync(['@aws-sdk/*/dist-cjs/**/*.js', '@smithy/*/dist-cjs/**/*.js'], {
    cwd: PACKAGES,
  });
  const names = files.flatMap(
    (file) => readFileSync(join(PACKAGES, file), 'utf8').match(/\bAWS_[A-Z0-9_]+\b/g) ?? [],
  );
  return [...new Set(names)].sort();
}

/** Where nobody listens. */
const NOWHERE = 'http://127.0.0.1:1';

/** What its file says, in case a variable is not looked at. */
const PROFILE = `
use_fips_endpoint = true
use_dualstack_endpoint = true
endpoint_url = ${NOWHERE}
region = nowhere-1
retry_mode = nonsense
max_attempts = 1
defaults_mode = nonsense
request_checksum_calculation = nonsense
response_checksum_validation = nonsense
account_id_endpoint_mode = nonsense
auth_scheme_preference = sigv4a
sdk_ua_app_id = nonsense
ca_bundle = /nowhere
aws_access_key_id = another
aws_secret_access_key = another
aws_session_token = another
`;

/**
 * A shell that is set up for another AWS, behind a proxy, in every way that there is.
 *
 * @param folder where its AWS files are written.
 */
export async function hostileShell(folder: string): Promise<Record<string, string>> {
  const config = join(folder, 'aws-config');
  await writeFile(config, `[default]${PROFILE}[profile another]${PROFILE}`);
  const variables = variablesOfTheSdk().map((name) => [name, valueOf(name)] as const);
  return {
    ...Object.fromEntries(variables),
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: config,
    AWS_PROFILE: 'another',
    ...Object.fromEntries(
      ['DYNAMODB', 'LAMBDA', 'S3', 'S3VECTORS', 'SECRETS_MANAGER', 'SFN'].map((service) => [
        `AWS_ENDPOINT_URL_${service}`,
        NOWHERE,
      ]),
    ),
    AWS_CA_BUNDLE: '/nowhere',
    NODE_EXTRA_CA_CERTS: '/nowhere',
    NODE_USE_ENV_PROXY: '1',
    ...Object.fromEntries(
      ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'].map(
        (name) => [name, NOWHERE],
      ),
    ),
    NO_PROXY: 'example.org',
    OPENAI_BASE_URL: NOWHERE,
    OPENAI_ORG_ID: 'another',
    PINECONE_CONTROLLER_HOST: NOWHERE,
    POWERTOOLS_LOG_LEVEL: 'nonsense',
  };
}

function valueOf(name: string): string {
  if (/_URL$|_URI$|_ENDPOINT$/.test(name) && !name.startsWith('AWS_USE_')) return NOWHERE;
  if (
    /_(ENABLED|DISABLED|FIPS_ENDPOINT|DUALSTACK_ENDPOINT|DISCOVERY)$|_DISABLE_|_USE_/.test(name)
  ) {
    return 'true';
  }
  return 'nonsense';
}
