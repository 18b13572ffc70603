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

/** What a shop can sell: the name as the till prints it, and the range of its price in cents. */
interface Product {
  readonly name: string;
  readonly minCents: number;
  readonly maxCents: number;
}

const product = (name: string, minCents: number, maxCents: number): Product => ({
  name,
  minCents,
  maxCents,
});

/** Every assortment has names of one word too: a short receipt must be able to hold an item. */
export const assortments = {
  grocery: [
    product('Bananas', 59, 189),
    product('Organic Bananas', 99, 249),
    product('Whole Milk', 329, 459),
    product('Oat Milk Barista', 399, 549),
    product('Sourdough Bread', 450, 799),
    product('Free Range Eggs', 399, 699),
    product('Cheddar', 499, 899),
    product('Greek Yogurt Plain', 129, 599),
    product('Baby Spinach', 299, 499),
    product('Roma Tomatoes', 149, 399),
    product('Avocado', 99, 199),
    product('Ground Coffee Dark', 799, 1499),
    product('Olive Oil Extra Virgin', 899, 1899),
    product('Sparkling Water', 89, 199),
    product('Chicken Thighs', 699, 1299),
    product('Basmati Rice', 349, 999),
    product('Peanut Butter Crunchy', 399, 799),
    product('Dark Chocolate 70%', 249, 499),
  ],
  cafe: [
    product('Latte', 425, 595),
    product('Oat Latte', 495, 675),
    product('Cappuccino', 425, 575),
    product('Espresso', 275, 350),
    product('Cold Brew Large', 475, 625),
    product('Chai Tea Latte', 475, 595),
    product('Blueberry Muffin', 325, 450),
    product('Butter Croissant', 350, 475),
    product('Avocado Toast', 850, 1195),
    product('Orange Juice', 395, 550),
    product('Bagel Cream Cheese', 425, 595),
  ],
  pharmacy: [
    product('Ibuprofen 200mg', 599, 1299),
    product('Allergy Relief Tablets', 899, 2199),
    product('Bandages', 299, 649),
    product('Toothpaste Fresh Mint', 349, 599),
    product('Shampoo', 499, 1099),
    product('Sunscreen SPF 50', 899, 1599),
    product('Vitamin D3', 799, 1799),
    product('Hand Soap Lavender', 249, 499),
    product('Cotton Swabs', 199, 399),
    product('Lip Balm', 199, 449),
  ],
  hardware: [
    product('Wood Screws 2in', 499, 1299),
    product('Paint Brush 3in', 699, 1599),
    product('Primer', 1999, 3499),
    product('LED Bulb 60W', 399, 1299),
    product('Extension Cord 25ft', 1499, 3299),
    product('Hammer', 1299, 2999),
    product('Duct Tape', 599, 1099),
    product('Garden Hose 50ft', 2499, 5499),
    product('Sandpaper Assorted', 499, 999),
    product('Potting Soil', 699, 1499),
  ],
  restaurant: [
    product('Margherita Pizza', 1395, 1895),
    product('Caesar Salad', 995, 1395),
    product('Lasagna', 1595, 1995),
    product('Spaghetti Carbonara', 1495, 1995),
    product('Garlic Bread', 595, 895),
    product('Tiramisu', 795, 1095),
    product('House Red Wine', 895, 1395),
    product('Minestrone', 695, 995),
    product('Sparkling Water', 395, 595),
    product('Grilled Salmon Lemon', 2195, 2895),
  ],
} as const satisfies Record<string, readonly Product[]>;

type Assortment = keyof typeof assortments;
