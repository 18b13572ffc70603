import type { Interruption } from '../command_line/command.ts';
import type { Screen } from '../command_line/screen.ts';
import { writeServedStack } from '../command_line/served_stack.ts';
import { exportedVariables, type LocalStack } from '../local_stack.ts';

/** Keeps a stack up for other terminals until the program is asked to stop. */
export async function serveUntil(
  stop: Interruption,
  stack: LocalStack,
  screen: Screen,
): Promise<void> {
  const { aws } = stack;
  const forget = await writeServedStack(process.cwd(), {
    pid: process.pid,
    url: aws.url,
    variables: exportedVariables(aws),
  });
  try {
    screen.lines(servingLines(stack));
    await stop.wait();
  } finally {
    await forget();
  }
}

/** Where everything is, and what to try. */
function servingLines({ aws, openaiAccess, pineconeAccess }: LocalStack): string[] {
  const { baseURL } = openaiAccess;
  return [
    '',
    'The stack stays up:',
    `  AWS       ${aws.url}`,
    `  OpenAI    ${baseURL === undefined ? 'itself, with your key' : `${baseURL}  (a stand-in)`}`,
    `  Pinecone  ${pineconeAccess.host}  (a stand-in)`,
    '',
    'Try, in another terminal, in this folder:',
    '  npx receipts status',
    '  npx receipts console',
    '  npx receipts execute realtime --limit 3 --force --wait',
    '',
    'With the AWS CLI or an SDK:',
    '  eval "$(npx receipts env)"',
    '  aws s3 ls --recursive "s3://$CHROMADB_BUCKET_NAME/lines/delta/"',
    '',
    'Ctrl-C ends it.',
  ];
}
