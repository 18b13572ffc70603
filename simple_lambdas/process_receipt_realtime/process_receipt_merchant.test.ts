import { describe, expect, it } from 'vitest';
import { aWord } from '../../tests/support/receipt_factory.ts';
import { ReceiptWorld } from '../../tests/support/receipt_world.ts';

const words = [aWord({ extracted_data: { type: 'phone', value: '555-123-4567' } })];

describe('a receipt whose merchant has to be looked up', () => {
  it('costs no request when it is embedded already', async () => {
    const world = new ReceiptWorld({ words });
    world.merchantSources.push({
      name: 'chroma',
      findMerchant: async ({ lines }, embedder) => {
        await embedder.embed(lines.map(({ input }) => input));
        return undefined;
      },
    });
    await world.process();

    expect(await world.process()).toMatchObject({ reused: true, openai_requests: 0 });
  });

  it('is not embedded again because the lookup fails the next time', async () => {
    const world = new ReceiptWorld({ words });
    let lookups = 0;
    world.merchantSources.push({
      name: 'google_places',
      findMerchant: () => {
        lookups++;
        return lookups === 1 ? Promise.resolve('Corner Shop') : Promise.reject(new Error('down'));
      },
    });

    expect(await world.process()).toMatchObject({ reused: false, merchant_name: 'Corner Shop' });
    expect(await world.process()).toMatchObject({ reused: true, merchant_name: null });
    expect(lookups).toBe(1);
  });

  it('is asked for by its words alone when it has no lines', async () => {
    const world = new ReceiptWorld({ words, lines: [] });
    world.merchantSources.push({
      name: 'google_places',
      findMerchant: ({ phones }) => Promise.resolve(phones.join()),
    });

    expect(await world.process()).toMatchObject({ merchant_name: '5551234567' });
  });
});
