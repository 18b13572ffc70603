import { z } from 'zod';
import { WrongArgument } from '../command_line/wrong_argument.ts';

const OUTPUT_NAMES = [
  'realtime_embedding_sf_arn',
  'batch_submit_sf_arn',
  'batch_poll_sf_arn',
  'chromadb_bucket_name',
  'batch_bucket_name',
  'dynamodb_table_name',
  'dashboard_url',
  'alert_topic_arn',
] as const;

/** An output of the Pulumi program (`index.ts`). */
export type OutputName = (typeof OUTPUT_NAMES)[number];

/** What a stack says of itself; the outputs of the batch path are missing where it is not deployed. */
export type StackOutputs = Readonly<Partial<Record<OutputName, string>>>;

const PASTE = 'paste all export lines that `npm start -- --serve` prints';

export interface StackPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `pulumi stack output --json` prints, parsed; undefined: of the stack that Pulumi has selected. */
  readonly pulumiOutputs: (stack: string | undefined) => Promise<unknown>;
}

/**
 * The outputs of a deployed stack. Without a stack's name, and with AWS_ENDPOINT_URL set, they are the variables
 * that `npm start -- --serve` prints: an output's name in capitals.
 *
 * @throws WrongArgument with what to do, when there is no such stack or it has not been deployed.
 */
export async function findStackOutputs(
  stack: string | undefined,
  { environment, pulumiOutputs }: StackPorts,
): Promise<StackOutputs> {
  const url = environment['AWS_ENDPOINT_URL'] ?? '';
  if (stack === undefined && url !== '') return fromEnvironment(environment, url);
  const outputs = present(z.record(z.string(), z.unknown()).safeParse(await pulumiOutputs(stack)));
  if (Object.keys(outputs).length > 0) return outputs;
  const [which, option] =
    stack === undefined ? ['The selected stack', ''] : [`The stack ${stack}`, ` --stack ${stack}`];
  throw new WrongArgument(
    `${which} has no outputs: it is not deployed. Deploy it with \`npx pulumi up${option}\`.`,
  );
}

/** @throws WrongArgument naming the output and why it may be missing. */
export function requireOutput(outputs: StackOutputs, name: OutputName): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  const why = name.startsWith('batch_')
    ? 'it has no batch path. Set pinecone_index_name and pinecone_api_key (see docs/configuration.md), then run'
    : 'it comes from another version of the program. Run';
  throw new WrongArgument(
    `The stack has no output ${name}: ${why} \`npx pulumi up\`. For a local stack, ${PASTE}.`,
  );
}

function fromEnvironment(environment: StackPorts['environment'], url: string): StackOutputs {
  const outputs = Object.fromEntries(
    OUTPUT_NAMES.flatMap((name) => {
      const value = environment[name.toUpperCase()];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
  if (Object.keys(outputs).length > 0) return outputs;
  throw new WrongArgument(
    `AWS_ENDPOINT_URL is ${url}, but none of the stack's outputs is in the environment ` +
      `(REALTIME_EMBEDDING_SF_ARN, DYNAMODB_TABLE_NAME, …): ${PASTE}, or name a deployed stack with --stack.`,
  );
}

function present(parsed: z.ZodSafeParseResult<Record<string, unknown>>): StackOutputs {
  const values = parsed.data ?? {};
  return Object.fromEntries(
    OUTPUT_NAMES.flatMap((name) => {
      const value = values[name];
      return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
    }),
  );
}
