import type { NewFile } from './file_store.ts';

/** Large enough to be sent fast, small enough that a reader who stops early has cost little. */
const chunkBytes = 64 * 1024;

/** A file's content in chunks: as many lines as make 64 KiB, each line made when its chunk is asked for. */
export function* chunksOf(content: NewFile['content']): Generator<Buffer> {
  if (Buffer.isBuffer(content)) {
    for (let at = 0; at < content.length; at += chunkBytes) {
      yield content.subarray(at, at + chunkBytes);
    }
    return;
  }
  let chunk = '';
  for (const line of content()) {
    chunk += line;
    if (chunk.length < chunkBytes) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

/** In bytes. A content that is made has to be made for that. */
export function sizeOf(content: NewFile['content']): number {
  if (Buffer.isBuffer(content)) return content.length;
  let size = 0;
  for (const chunk of chunksOf(content)) size += chunk.length;
  return size;
}
