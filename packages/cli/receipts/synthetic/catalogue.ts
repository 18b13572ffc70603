/** What a shop can sell: the name as the till prints it, and the range of its price in cents. */
export interface Product {
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

export type Assortment = keyof typeof assortments;
