import { malformedXml } from './s3_error.ts';

export interface XmlElement {
  /** The local name: S3 takes bodies with its namespace, with a prefix, and with none. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The element's own text, entities resolved, children's text left out. */
  readonly text: string;
}

interface OpenElement {
  readonly qualifiedName: string;
  readonly children: XmlElement[];
  text: string;
}

const token =
  /<!\[CDATA\[(?<cdata>[^]*?)\]\]>|<!--[^]*?-->|<\?[^]*?\?>|<\/(?<close>[\w:.-]+)\s*>|<(?<open>[\w:.-]+)(?:\s[^<>]*?)?(?<empty>\/?)>|(?<text>[^<]+)/y;

/**
 * Reads the XML body of a request: elements and text. Attributes are dropped, a document type is refused.
 *
 * @returns the root element.
 * @throws S3Error MalformedXML
 */
export function readXml(source: string): XmlElement {
  const document: OpenElement = { qualifiedName: '', children: [], text: '' };
  const stack: OpenElement[] = [document];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const groups = token.exec(source)?.groups;
    const current = stack.at(-1);
    if (groups === undefined || current === undefined) throw malformedXml();
    const { cdata, close, open, empty, text } = groups;
    if (cdata !== undefined) current.text += cdata;
    if (text !== undefined) current.text += resolveEntities(text);
    if (open !== undefined) stack.push({ qualifiedName: open, children: [], text: '' });
    if (close !== undefined && close !== current.qualifiedName) throw malformedXml();
    if (close !== undefined || (open !== undefined && empty === '/')) closeElement(stack);
  }
  const [root, ...others] = document.children;
  if (stack.length !== 1 || root === undefined || others.length > 0) throw malformedXml();
  return root;
}

/** @returns the text of the first child of that name. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}

function closeElement(stack: OpenElement[]): void {
  const closed = stack.pop();
  const parent = stack.at(-1);
  if (closed === undefined || parent === undefined) throw malformedXml();
  const { qualifiedName, children, text } = closed;
  parent.children.push({
    name: qualifiedName.slice(qualifiedName.indexOf(':') + 1),
    children,
    text,
  });
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function resolveEntities(text: string): string {
  return text.replace(/&([^;&]*);?/g, (entity, body: string) => {
    if (!entity.endsWith(';')) throw malformedXml();
    const resolved = body.startsWith('#') ? characterOf(body.slice(1)) : named[body];
    if (resolved === undefined) throw malformedXml();
    return resolved;
  });
}

function characterOf(reference: string): string | undefined {
  const isHex = /^x[\da-f]+$/i.test(reference);
  if (!isHex && !/^\d+$/.test(reference)) return undefined;
  const codePoint = isHex ? parseInt(reference.slice(1), 16) : parseInt(reference, 10);
  return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : undefined;
}
