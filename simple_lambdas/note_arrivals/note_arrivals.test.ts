import { describe, expect, it } from 'vitest';
import type { ChangedReceipt } from 'receipt-embedding/arrivals/changed_receipts';
import { RateLimited } from 'receipt-embedding/errors';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';
import { rejection } from '../../tests/support/rejection.ts';
import { noteArrivals } from './note_arrivals.ts';

const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const receipt = (receipt_id: number, first: string): ChangedReceipt => ({
  image_id: IMAGE,
  receipt_id,
  first,
  change: first.padStart(40, '0'),
});
const waiting = ({ image_id, receipt_id, change }: ChangedReceipt): LatestChange => ({
  image_id,
  receipt_id,
  change,
});

const A = receipt(1, '9');
const B = receipt(2, '10');
const C = receipt(3, '111');

/** Notes receipts where these writes of notes fail, or find a newer one. */
async function note(
  receipts: readonly ChangedReceipt[],
  outcomes: Readonly<Record<number, Error | false>> = {},
) {
  const steps: unknown[] = [];
  const logged: unknown[] = [];
  const answer = await noteArrivals(
    { receipts },
    {
      note: ({ receipt_id }) => {
        steps.push(receipt_id);
        const outcome = outcomes[receipt_id] ?? true;
        return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
      },
      send: (sent) => {
        steps.push(sent);
        return Promise.resolve();
      },
      logger: { info: () => undefined, warn: (_message, fields) => logged.push(fields) },
    },
  );
  return { ...answer, steps, logged };
}

describe('changed receipts', () => {
  it('are noted first, and then sent together', async () => {
    expect(await note([A, B])).toMatchObject({
      steps: [1, 2, [waiting(A), waiting(B)]],
      waiting: [waiting(A), waiting(B)],
      failed: undefined,
    });
  });

  it('of which a newer change is known are left to it', async () => {
    expect(await note([A, B], { 1: false })).toMatchObject({
      waiting: [waiting(B)],
      failed: undefined,
    });
  });

  it('are not sent where there are none', async () => {
    expect(await note([A], { 1: false })).toMatchObject({ steps: [1], waiting: [] });
  });

  it('that can not be noted keep no other from being sent, and the stream begins again at the first of them', async () => {
    const refused = new RateLimited('slow down');
    expect(await note([C, A, B], { 3: refused, 2: refused })).toMatchObject({
      waiting: [waiting(A)],
      failed: '10',
      logged: [
        { image_id: IMAGE, receipt_id: 3, error_name: 'RateLimited', error_message: 'slow down' },
        { image_id: IMAGE, receipt_id: 2, error_name: 'RateLimited', error_message: 'slow down' },
      ],
    });
  });

  it('all come again when they can not be sent', async () => {
    const error = await rejection(
      noteArrivals(
        { receipts: [A] },
        {
          note: () => Promise.resolve(true),
          send: () => Promise.reject(new RateLimited('slow down')),
          logger: { info: () => undefined, warn: () => undefined },
        },
      ),
    );
    expect(error.name).toBe('RateLimited');
  });
});
