const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** `<name>…</name>` around a text, which is escaped. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** `<name>…</name>` around elements that are XML already. */
export function element(name: string, children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** A whole answer, its root in S3's namespace. */
export function xmlDocument(root: string, children: readonly string[]): string {
  return `${declaration}<${root} xmlns="${namespace}">${children.join('')}</${root}>`;
}

/** A whole error answer: the one document that S3 writes without a namespace. */
export function errorDocument(children: readonly string[]): string {
  return `${declaration}${element('Error', children)}`;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

// A carriage return would be read as a line feed, and most other control characters make the document ill-formed.
const special = /[&<>"\p{Cc}\ufffe\uffff]/gu;

function escapeXml(text: string): string {
  return text.replace(
    special,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}
