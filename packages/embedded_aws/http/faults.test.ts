import { describe, expect, it } from 'vitest';
import { Faults, type FaultRule } from './faults.ts';
import { ConnectionCut } from './server.ts';

interface Asked {
  readonly operation: 'read' | 'write';
  readonly id: number;
}

interface Doubled {
  readonly double: true;
}

/** A service that counts what it has done, and what it answered or threw. */
function start() {
  const faults = new Faults<Asked, Doubled>(({ status, code = 'Unknown' }) => ({
    status,
    body: code,
  }));
  let performed = 0;
  const answer = () => ({ status: 200, body: `done ${++performed}` });
  const ask = async (operation: Asked['operation'] = 'read', id = 1): Promise<string> => {
    const perform = faults.perform({ operation, id }, answer, (fault) => {
      answer();
      return Promise.resolve({ status: 200, body: JSON.stringify(fault.double) });
    });
    return await perform.then(
      ({ status, body }) =>
        typeof body === 'string' ? `${status} ${body}` : [...(body ?? [])].join(''),
      (error: unknown) => (error instanceof ConnectionCut ? 'cut' : String(error)),
    );
  };
  return { faults, ask, performed: () => performed };
}

describe('a fault', () => {
  it.each<[string, FaultRule<Asked, Doubled>, string, number]>([
    ['an error', { status: 503, code: 'Busy' }, '503 Busy', 0],
    ['an error whose request took effect', { status: 503, moment: 'after' }, '503 Unknown', 1],
    ['an answer of its own', { status: 502, body: '<html>' }, '502 <html>', 0],
    ['a cut', { cut: true }, 'cut', 0],
    ['a lost answer', { cut: true, moment: 'after' }, 'cut', 1],
    ['a delay', { delay: 1 }, '200 done 1', 1],
    ['one of the service’s own kinds', { double: true }, '200 true', 1],
  ])('may be %s', async (_, rule, answer, performed) => {
    const service = start();
    service.faults.add(rule);
    expect([await service.ask(), service.performed()]).toStrictEqual([answer, performed]);
  });

  it('may cut the answer after so many bytes', async () => {
    const { faults } = start();
    faults.add({ cutAfterBytes: 4 });
    const { body } = await faults.perform(
      { operation: 'read', id: 1 },
      () => ({ status: 200, body: 'answer' }),
      () => Promise.resolve({ status: 200 }),
    );
    const chunks = (body as Iterable<Buffer>)[Symbol.iterator]();
    expect(String(chunks.next().value)).toBe('answ');
    expect(() => chunks.next()).toThrow(ConnectionCut);
  });

  it.each(['before', 'after'] as const)(
    'may be silence, %s the request takes effect, until the rule is removed',
    async (moment) => {
      const { faults, ask, performed } = start();
      const remove = faults.add({ hang: true, moment });
      const answer = ask();
      await Promise.resolve();
      expect(performed()).toBe(moment === 'after' ? 1 : 0);
      remove();
      expect([await answer, performed()]).toStrictEqual(['200 done 1', 1]);
    },
  );
});

describe('a rule', () => {
  it('strikes the operation and the requests that it names, until it is removed', async () => {
    const { faults, ask } = start();
    const remove = faults.add({ on: 'write', when: ({ id }) => id === 2, status: 500 });
    const requests = async () => [
      await ask('read', 2),
      await ask('write', 1),
      await ask('write', 2),
    ];
    expect(await requests()).toStrictEqual(['200 done 1', '200 done 2', '500 Unknown']);
    remove();
    expect(await requests()).toStrictEqual(['200 done 3', '200 done 4', '200 done 5']);
  });

  it('is a step of a script: it skips some, strikes some, and gives way to the next', async () => {
    const { faults, ask } = start();
    faults.add({ status: 500, code: 'first', skip: 1, times: 2 });
    faults.add({ status: 500, code: 'second', skip: 1, times: 1 });
    const answers: string[] = [];
    for (let at = 0; at < 6; at++) answers.push(await ask());
    expect(answers).toStrictEqual([
      '200 done 1',
      '500 first',
      '500 first',
      '500 second',
      '200 done 2',
      '200 done 3',
    ]);
  });
});
