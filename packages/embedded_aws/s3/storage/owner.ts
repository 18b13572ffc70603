import { element, textElement } from '../protocol/xml_writer.ts';

/** The one account of this stand-in, in its canonical form. */
export function owner(elementName: 'Owner' | 'Initiator'): string {
  return element(elementName, [
    textElement('ID', '0'.repeat(64)),
    textElement('DisplayName', 'local'),
  ]);
}
