import { processPorts } from '../command_line/process_ports.ts';
import type { Interruption } from '../command_line/command.ts';
import { WrongArgument } from '../command_line/arguments.ts';
import type { Screen } from '../command_line/screen.ts';
import { writeServedStack } from '../command_line/served_stack.ts';
import { DEFAULT_PORT, openConsole } from '../console/console.ts';
import { exportedVariables, type LocalStack } from '../local_stack.ts';
import { quotedForShell } from '../search/report.ts';

/**
 * Keeps a stack and its page up for other terminals and the browser until the program is asked to stop.
 *
 * @param question something that the stack has an answer to.
 */
export async function serveUntil(
  stop: Interruption,
  stack: LocalStack,
  screen: Screen,
  question = 'oat milk',
): Promise<void> {
  const { aws } = stack;
  const variables = exportedVariables(aws);
  // The page asks AWS as the commands do, by the variables of its process.
  Object.assign(process.env, variables);
  const page = await openPage(stop);
  const forget = await writeServedStack(process.cwd(), {
    pid: process.pid,
    url: aws.url,
    variables,
  });
  try {
    screen.lines(servingLines(stack, page.url, question));
    await stop.wait();
  } finally {
    await forget();
    await page.close();
  }
}

/** Where `receipts console` is, or at any free port while another page is there. */
async function openPage(stop: Interruption): ReturnType<typeof openConsole> {
  const ports = { ...processPorts(), stop };
  return await openConsole({ port: DEFAULT_PORT }, ports).catch(async (error: unknown) => {
    if (!(error instanceof WrongArgument)) throw error;
    return await openConsole({ port: 0 }, ports);
  });
}

/** Where everything is, and what to try. */
function servingLines(
  { aws, openaiAccess, pineconeAccess }: LocalStack,
  page: string,
  question: string,
): string[] {
  const { baseURL } = openaiAccess;
  return [
    '',
    'The stack stays up:',
    `  Page      ${page}`,
    `  AWS       ${aws.url}`,
    `  OpenAI    ${baseURL === undefined ? 'itself, with your key' : `${baseURL}  (a stand-in)`}`,
    `  Pinecone  ${pineconeAccess.host}  (a stand-in)`,
    '',
    'Try, in another terminal, in this folder:',
    '  npx receipts status --watch',
    `  npx receipts search ${quotedForShell(question)}`,
    '  npx receipts add --synthetic 1 --wait',
    '  npx receipts execute realtime --limit 3 --force --wait',
    '',
    'With the AWS CLI or an SDK:',
    '  eval "$(npx receipts env)"',
    '  aws s3 ls --recursive "s3://$CHROMADB_BUCKET_NAME/lines/delta/"',
    '',
    'Ctrl-C ends it.',
  ];
}
