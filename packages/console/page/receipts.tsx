import type { ReceiptPage } from '../receipts.ts';
import { identityOf, placeOf, useAnswer } from './client.tsx';
import { Answered, Title } from './parts.tsx';

/** All receipts, a page at a time. */
export function Receipts({ query }: { readonly query: URLSearchParams }) {
  const asked = useAnswer<ReceiptPage>(`/api/receipts?${query.toString()}`);
  return (
    <>
      <Title>Receipts</Title>
      <Answered {...asked}>
        {(answer) => (
          <>
            {answer.receipts.length === 0 && <p>There are none.</p>}
            <ul class="rows">
              {answer.receipts.map((receipt) => (
                <li key={`${receipt.image_id} ${receipt.receipt_id}`}>
                  <a href={placeOf('receipt', identityOf(receipt))}>
                    {receipt.merchant_name ?? 'unknown merchant'}
                  </a>{' '}
                  <span class="quiet id">
                    {receipt.image_id} {receipt.receipt_id}
                  </span>
                </li>
              ))}
            </ul>
            <p class="line">
              {query.has('image_id') && <a href="#/receipts">First page</a>}
              {answer.next !== null && (
                <a href={placeOf('receipts', identityOf(answer.next))}>Next page</a>
              )}
            </p>
          </>
        )}
      </Answered>
    </>
  );
}
