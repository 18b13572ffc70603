import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childText, readXml } from './xml_reader.ts';
import { textElement } from './xml_writer.ts';

describe('readXml', () => {
  it('reads elements, attributes aside, with entities, CDATA, comments and prefixes', () => {
    const source =
      '<?xml version="1.0"?>\n<!-- c --><s3:Delete xmlns:s3="urn:x"><Quiet/>' +
      '<Key a="1" >a&lt;&#233;&#x1F600;<![CDATA[<&]]></Key ></s3:Delete>\n';
    expect(readXml(source)).toStrictEqual({
      name: 'Delete',
      children: [
        { name: 'Quiet', children: [], text: '' },
        { name: 'Key', children: [], text: 'a<é\u{1f600}<&' },
      ],
      text: '',
    });
  });

  it.each([
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&nbsp;</a>',
    '<a>& </a>',
    '<a>&#xZZ;</a>',
    '<a>&#x110000;</a>',
    '<a><</a>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
  ])('refuses %j', (source) => {
    expect(() => readXml(source)).toThrow('The XML you provided was not well-formed');
  });

  it('reads any text that is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(childText(readXml(`<r>${textElement('t', text)}</r>`), 't')).toBe(text);
      }),
    );
  });
});
