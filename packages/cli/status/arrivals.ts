import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { count, quantity } from '../command_line/text.ts';
import type { Section, SectionPorts } from './sections.ts';

/** What changes of the table have left to do, in messages; each may name many receipts. */
export interface ArrivalsView {
  /** Receipts wait in them until they are quiet. */
  readonly waiting: number;
  /** Executions are being started for what they name. */
  readonly under_way: number;
  /** They were put aside after they had failed again and again. */
  readonly failed: number;
}

/** Null of a stack that embeds nothing by itself on arrival. */
export async function arrivalsSection({
  outputs,
  openQueues,
}: Pick<SectionPorts, 'outputs' | 'openQueues'>): Promise<Section> {
  const { arrivals_queue_url: waiting, failed_arrivals_queue_url: failed } = outputs;
  if (waiting === undefined || failed === undefined) return { data: null, lines: [] };
  const sqs = await openQueues(outputs);
  const counts = await messagesIn(sqs, waiting);
  const data: ArrivalsView = {
    waiting: counts.visible + counts.delayed,
    under_way: counts.taken,
    failed: (await messagesIn(sqs, failed)).visible,
  };
  return { data, lines: arrivalLines(data) };
}

/** How many messages a queue has, about: to be taken, delayed, and taken. */
export async function messagesIn(
  sqs: Pick<SQSClient, 'send'>,
  QueueUrl: string,
): Promise<Readonly<Record<'visible' | 'delayed' | 'taken', number>>> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    taken: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}

function arrivalLines({ waiting, under_way, failed }: ArrivalsView): string[] {
  if (waiting + under_way + failed === 0) {
    return ['Arrivals', '  none wait: what has changed in the table is embedded'];
  }
  return [
    'Arrivals, in messages of one receipt or more',
    `  ${count(waiting)} wait until their receipts are quiet, ${count(under_way)} are being taken up, ${count(failed)} failed`,
    ...(failed === 0
      ? []
      : [
          `  Nothing does ${quantity(failed, 'message')} again by itself: npx receipts redo arrivals`,
        ]),
  ];
}
