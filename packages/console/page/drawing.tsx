import type { DrawnEntity, DrawnReceipt, DrawnWord } from '../receipts.ts';
import { moveFocus } from './parts.tsx';

export const COLOURINGS = ['status', 'label', 'confidence'] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** Units of the drawing's width. */
const WIDTH = 1_000;
/** Height by width, of a receipt that no row says it of, and within which bounds it is drawn. */
const ASPECT = { usual: 2, least: 0.4, most: 8 };

/** Where a box is in the drawing, which has its origin at the top left. */
function place({ x, y, width, height }: DrawnEntity['box'], tall: number) {
  return {
    x: x * WIDTH,
    y: (1 - y - height) * tall,
    width: Math.max(0, width * WIDTH),
    height: Math.max(0, height * tall),
  };
}

/** A receipt from its boxes: its words, or where there are none, its lines. */
export function Drawing({
  receipt,
  chosen,
  colour,
  placeOfId,
}: {
  readonly receipt: DrawnReceipt;
  readonly chosen: string | null;
  readonly colour: Colouring;
  readonly placeOfId: (id: string) => string;
}) {
  const aspect = Math.min(ASPECT.most, Math.max(ASPECT.least, receipt.aspect ?? ASPECT.usual));
  const tall = WIDTH * aspect;
  const { lines, words } = receipt;
  const shown: readonly (DrawnEntity | DrawnWord)[] = words.length > 0 ? words : lines;
  const framed = [...lines, ...words].find(({ id }) => id === chosen);
  const stop = shown.find(({ id }) => id === chosen) ?? shown[0];
  return (
    <svg
      class="receipt"
      viewBox={`0 0 ${WIDTH} ${tall}`}
      role="group"
      aria-label="The receipt, drawn from its boxes. Arrows go from word to word."
      onKeyDown={moveFocus}
    >
      {lines.map((line) => (
        <rect key={line.id} class="row" {...place(line.box, tall)} />
      ))}
      {shown.map((entity) => (
        <a
          key={entity.id}
          href={placeOfId(entity.id)}
          data-id={entity.id}
          tabIndex={entity === stop ? 0 : -1}
          aria-label={entity.text}
          aria-current={entity.id === chosen ? 'true' : undefined}
        >
          <Word entity={entity} tall={tall} colour={colour} />
        </a>
      ))}
      {framed !== undefined && <Frame entity={framed} tall={tall} />}
    </svg>
  );
}

function Word({
  entity,
  tall,
  colour,
}: {
  readonly entity: DrawnEntity | DrawnWord;
  readonly tall: number;
  readonly colour: Colouring;
}) {
  const box = place(entity.box, tall);
  return (
    <>
      <title>{entity.text}</title>
      <rect
        class={`word ${classOf(entity, colour)}`}
        fill-opacity={colour === 'confidence' ? 0.15 + 0.6 * (1 - entity.confidence) : undefined}
        {...box}
      />
      <text
        x={box.x}
        y={box.y + box.height * 0.78}
        font-size={box.height * 0.82}
        textLength={box.width}
        lengthAdjust="spacingAndGlyphs"
      >
        {entity.text}
      </text>
    </>
  );
}

/** A little larger than the box, which stays readable in it. */
const MARGIN = 4;

function Frame({ entity, tall }: { readonly entity: DrawnEntity; readonly tall: number }) {
  const { x, y, width, height } = place(entity.box, tall);
  return (
    <rect
      class="frame"
      data-frame={entity.id}
      x={x - MARGIN}
      y={y - MARGIN}
      width={width + 2 * MARGIN}
      height={height + 2 * MARGIN}
    />
  );
}

function classOf(entity: DrawnEntity | DrawnWord, colour: Colouring): string {
  if (colour === 'status') return `status-${entity.status.toLowerCase()}`;
  if (colour === 'confidence') return 'confidence';
  const labels = 'labels' in entity ? entity.labels : [];
  if (labels.some(({ status }) => status === 'VALID')) return 'label-valid';
  if (labels.some(({ status }) => status === 'INVALID')) return 'label-invalid';
  return labels.length > 0 ? 'label-other' : 'label-none';
}
