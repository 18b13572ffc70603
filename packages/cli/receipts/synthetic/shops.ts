import type { Assortment } from './catalogue.ts';

/** A shop that does not exist, as its receipts show it: each of them with the same name, address and phone. */
export interface Shop {
  /** As printed at the head of the receipt. */
  readonly printedName: string;
  /** As a directory of places spells it. */
  readonly canonicalName: string;
  readonly placeId: string;
  readonly street: string;
  readonly city: string;
  readonly state: string;
  readonly zip: string;
  /** Of the numbers 555-0100 … 555-0199, which are kept free for fiction. */
  readonly phone: string;
  /** Under `.example`, which is kept free as well. */
  readonly web: string;
  readonly assortment: Assortment;
  /** Hundredths of a percent. */
  readonly taxBasisPoints: number;
  readonly cashiers: readonly string[];
}

export const shops: readonly Shop[] = [
  {
    printedName: 'MAPLE LANE MARKET',
    canonicalName: 'Maple Lane Market',
    placeId: 'synthetic-place-01',
    street: '1420 Maple Lane',
    city: 'Westbrook',
    state: 'CA',
    zip: '91399',
    phone: '(805) 555-0142',
    web: 'www.maplelanemarket.example',
    assortment: 'grocery',
    taxBasisPoints: 725,
    cashiers: ['Ana', 'Luis', 'Priya'],
  },
  {
    printedName: 'GREENFIELD GROCERS',
    canonicalName: 'Greenfield Grocers',
    placeId: 'synthetic-place-02',
    street: '77 North Harbor Boulevard',
    city: 'Port Ellery',
    state: 'WA',
    zip: '98099',
    phone: '(206) 555-0117',
    web: 'greenfieldgrocers.example',
    assortment: 'grocery',
    taxBasisPoints: 1025,
    cashiers: ['Tomas', 'June'],
  },
  {
    printedName: 'COPPER KETTLE COFFEE',
    canonicalName: 'Copper Kettle Coffee Roasters',
    placeId: 'synthetic-place-03',
    street: '305 Alder Street Suite 2',
    city: 'Milbrae Falls',
    state: 'OR',
    zip: '97099',
    phone: '(503) 555-0168',
    web: 'www.copperkettle.example/menu',
    assortment: 'cafe',
    taxBasisPoints: 0,
    cashiers: ['Wren', 'Sam', 'Noor'],
  },
  {
    printedName: 'BLUE HERON CAFE',
    canonicalName: 'Blue Heron Café',
    placeId: 'synthetic-place-04',
    street: '12 Quay Road',
    city: 'Lake Orrin',
    state: 'MN',
    zip: '55999',
    phone: '612-555-0109',
    web: 'blueheroncafe.example',
    assortment: 'cafe',
    taxBasisPoints: 688,
    cashiers: ['Ida', 'Mo'],
  },
  {
    printedName: 'ELM STREET PHARMACY',
    canonicalName: 'Elm Street Pharmacy',
    placeId: 'synthetic-place-05',
    street: '960 Elm Street',
    city: 'Cedar Point',
    state: 'NY',
    zip: '10099',
    phone: '(212) 555-0183',
    web: 'www.elmstreetrx.example',
    assortment: 'pharmacy',
    taxBasisPoints: 888,
    cashiers: ['Grace', 'Omar'],
  },
  {
    printedName: 'IRONWOOD HARDWARE',
    canonicalName: 'Ironwood Hardware & Garden',
    placeId: 'synthetic-place-06',
    street: '4805 Old Mill Highway',
    city: 'Dry Creek',
    state: 'TX',
    zip: '78799',
    phone: '512.555.0155',
    web: 'www.ironwoodhardware.example',
    assortment: 'hardware',
    taxBasisPoints: 825,
    cashiers: ['Hank', 'Rosa', 'Bea'],
  },
  {
    printedName: 'TRATTORIA SOLE',
    canonicalName: 'Trattoria Sole',
    placeId: 'synthetic-place-07',
    street: '218 Vine Avenue',
    city: 'New Calder',
    state: 'IL',
    zip: '60699',
    phone: '(312) 555-0126',
    web: 'trattoriasole.example',
    assortment: 'restaurant',
    taxBasisPoints: 1075,
    cashiers: ['Gio', 'Elena'],
  },
  {
    printedName: 'CORNER PANTRY',
    canonicalName: 'The Corner Pantry',
    placeId: 'synthetic-place-08',
    street: '5 Bishop Drive Apartment 1',
    city: 'Saint Rowan',
    state: 'MA',
    zip: '02199',
    phone: '+1 617-555-0131',
    web: 'http://cornerpantry.example',
    assortment: 'grocery',
    taxBasisPoints: 625,
    cashiers: ['Kit', 'Dara'],
  },
];

/** The whole address in one line. */
export function addressOf({ street, city, state, zip }: Shop): string {
  return `${street}, ${city}, ${state} ${zip}`;
}
