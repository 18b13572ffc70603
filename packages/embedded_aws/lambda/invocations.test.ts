import { describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { Invocations } from './invocations.ts';
import { startLambda } from './testing/lambda_fixture.ts';

const NOBODY = new AbortController().signal;
const LOST = { name: 'Lambda.SdkClientException' };

/** A function that logs its name and answers what it is given. */
async function start() {
  const { standIn, create, logged } = await startLambda();
  const { functionArn } = await create(
    `export const handler = async (event) => { console.log('ran ' + event.name); return event; };`,
  );
  const invocations = new Invocations(standIn);
  const invoke = (name: string) => invocations.invoke(functionArn, { name }, NOBODY);
  return { invocations, invoke, logged, functionArn };
}

describe('an invocation by an event source mapping', () => {
  const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:jobs';

  it('is told apart from others, and may be asked for once more', async () => {
    const { invocations, invoke, functionArn } = await start();
    const asked: (string | undefined)[] = [];
    const when = ({ eventSourceArn }: { readonly eventSourceArn: string | undefined }) => {
      asked.push(eventSourceArn);
      return true;
    };
    invocations.fault({ redeliver: 2, when, times: 1 });
    const deliver = () => invocations.deliver(functionArn, QUEUE, { name: 'batch' });

    expect(await invoke('by a state machine')).toStrictEqual({
      payload: { name: 'by a state machine' },
    });
    expect([await deliver(), await deliver()]).toStrictEqual([
      { payload: { name: 'batch' }, redeliver: 2 },
      { payload: { name: 'batch' } },
    ]);
    expect(asked).toStrictEqual([QUEUE]);
  });
});

describe('an invocation by Step Functions', () => {
  it('is refused without being run, as often as the rule says', async () => {
    const { invocations, invoke } = await start();
    invocations.fault({ refuse: 'TooManyRequestsException', when: () => true, times: 1 });

    expect(await rejection(invoke('first'))).toMatchObject({
      name: 'Lambda.TooManyRequestsException',
    });
    expect(await invoke('second')).toStrictEqual({ payload: { name: 'second' } });
  });

  it.each(['at once', 'at the end'] as const)('loses its answer %s, and runs on', async (when) => {
    const { invocations, invoke, logged } = await start();
    const remove = invocations.fault({
      loseAnswer: when,
      when: ({ functionName, payload }) =>
        functionName === 'work' && (payload as { name: string }).name === 'lost',
    });
    onTestFinished(remove);

    const lost = rejection(invoke('lost'));
    expect(invocations.running.size).toBe(1);

    expect(await lost).toMatchObject(LOST);
    expect(invocations.running.size).toBe(when === 'at once' ? 1 : 0);
    expect(await logged('ran lost')).toBe('ran lost');
    expect(await invoke('other')).toStrictEqual({ payload: { name: 'other' } });
  });

  it('of a function that does not exist fails as Lambda says', async () => {
    const { invocations } = await start();

    expect(await rejection(invocations.invoke('nothing', {}, NOBODY))).toMatchObject({
      name: 'Lambda.ResourceNotFoundException',
    });
  });
});
