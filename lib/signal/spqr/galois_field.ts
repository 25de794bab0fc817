/**
 * GF(2^16) modulo x^16 + x^12 + x^3 + x + 1, by logarithms to the base x.
 * Table look-ups depend on the data, so this is for public data only; all
 * that SPQR spreads over chunks is.
 */

const POLYNOMIAL = 0x1100b;

/** Order of the multiplicative group: logarithms are taken modulo this. */
export const ORDER = 0xffff;

/** `LOG[a]` for a ≠ 0; `LOG[0]` is meaningless. */
export const LOG = new Uint16Array(0x10000);

/** Powers of x, twice over, so that the sum of two logarithms needs no reduction. */
export const POWER = new Uint16Array(2 * ORDER);

for (let exponent = 0, power = 1; exponent < ORDER; exponent++) {
  LOG[power] = exponent;
  POWER[exponent] = POWER[exponent + ORDER] = power;
  power <<= 1;
  if (power > 0xffff) power ^= POLYNOMIAL;
}
