// Compares an FP16 unit with the C++ compiler's own arithmetic, or with 128-bit integers.
//
//   sweep all FIRST LAST        every b for each a of FIRST to LAST - 1 (two operands)
//   sweep random COUNT SEED     random operands, half of them near a cancellation
//   sweep corners               every combination of the patterns where units go wrong
//   sweep vectors FILE          TestFloat's lines: operands, result, flags
//
// UNIT_multiply, UNIT_add, UNIT_compare or UNIT_fma says what it is; LATENCY, in how many cycles.
// Of UNIT_function the operands are a number and which function, if there are SEVERAL: its results
// are those of ``vectors`` alone.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "Vunit.h"
#include "verilated.h"

using Bits = uint16_t;
static const Bits NAN_BITS = 0x7e00, INFINITY_BITS = 0x7c00, SIGN = 0x8000;

static bool is_nan(Bits x) { return (x & 0x7fff) > INFINITY_BITS; }
static bool is_infinite(Bits x) { return (x & 0x7fff) == INFINITY_BITS; }

// Binary32 holds an FP16 number exactly, and the sum or the product of two, rounded first to 24
// bits and then to 11, is the one rounded once: 24 is at least twice 11 and two.
static float widen(Bits x) {
  _Float16 half;
  memcpy(&half, &x, sizeof half);
  return static_cast<float>(half);
}

static Bits narrow(float x) {
  if (x != x) return NAN_BITS;
  const _Float16 half = static_cast<_Float16>(x);
  Bits bits;
  memcpy(&bits, &half, sizeof bits);
  return bits;
}

#if defined(UNIT_fma)
static const int OPERANDS = 3;

// A finite number in units of 2**-48 after a shift by ``up``: exact in 128 bits.
static __int128 fixed(Bits x, int up) {
  const int exponent = (x >> 10) & 31;
  const __int128 mantissa = (x & 1023) | (exponent ? 1024 : 0);
  const __int128 value = mantissa << ((exponent ? exponent : 1) - 1 + up);
  return x & SIGN ? -value : value;
}

static Bits reference(Bits a, Bits b, Bits c) {
  if (is_nan(a) || is_nan(b) || is_nan(c)) return NAN_BITS;
  if (is_infinite(a) || is_infinite(b) || is_infinite(c))
    return narrow(widen(a) * widen(b) + widen(c));  // the product of finite ones stays finite
  const __int128 sum = fixed(a, 0) * fixed(b, 0) + fixed(c, 24);
  if (sum == 0) return (a ^ b) & c & SIGN;
  const Bits sign = sum < 0 ? SIGN : 0;
  const unsigned __int128 magnitude = sum < 0 ? -sum : sum;
  int last = 24;  // the place of 2**-24
  while (magnitude >> (last + 11)) last++;
  unsigned kept = static_cast<unsigned>(magnitude >> last);
  const unsigned __int128 rest = magnitude & ((static_cast<unsigned __int128>(1) << last) - 1);
  const unsigned __int128 half = static_cast<unsigned __int128>(1) << (last - 1);
  if (rest > half || (rest == half && (kept & 1))) kept++;
  const unsigned pattern = ((last - 24) << 10) + kept;
  return sign | (pattern < INFINITY_BITS ? pattern : INFINITY_BITS);
}
#else
static const int OPERANDS = 2;

static Bits reference(Bits a, Bits b, Bits) {
  const float x = widen(a), y = widen(b);
#if defined(UNIT_multiply)
  return narrow(x * y);
#elif defined(UNIT_add)
  return narrow(x + y);
#elif defined(UNIT_compare)
  return (x < y) | (x == y) << 1 | (x != x || y != y) << 2;
#else
  return narrow(x - y);  // nothing is compared with it
#endif
}
#endif

static Vunit unit;
static uint64_t tried = 0, wrong = 0;

static Bits evaluate(Bits a, Bits b, Bits c) {
#if defined(UNIT_function)
  unit.i = a;
#if defined(SEVERAL)
  unit.function = b;
#endif
#else
  unit.a = a;
  unit.b = b;
#endif
#if defined(UNIT_fma)
  unit.c = c;
#endif
#if LATENCY > 0
  unit.clk = 0;
  unit.eval();
  unit.clk = 1;
#endif
  unit.eval();
#if defined(UNIT_compare)
  return unit.less | unit.equal << 1 | unit.unordered << 2;
#else
  return unit.o;
#endif
}

struct Case {
  Bits a, b, c, expected;
};
static Case pending[LATENCY + 1];

static void compare(const Case& now) {
  const Bits got = evaluate(now.a, now.b, now.c);
  const uint64_t turn = tried++;
  // Of LATENCY edges the one just now was the first: what comes out went in before the others.
  Case then = now;
#if LATENCY > 1
  const uint64_t slot = turn % (LATENCY - 1);
  then = pending[slot];
  pending[slot] = now;
  if (turn < LATENCY - 1) return;
#else
  (void)turn;
#endif
  if (got == then.expected) return;
  if (wrong++ < 10)
    printf("a %04x b %04x c %04x: got %04x, expected %04x\n", then.a, then.b, then.c, got,
           then.expected);
}

static void check(Bits a, Bits b, Bits c) { compare({a, b, c, reference(a, b, c)}); }

static void sweep_all(unsigned first, unsigned last) {
  for (unsigned a = first; a < last; a++)
    for (unsigned b = 0; b < 0x10000; b++) check(a, b, 0);
}

static void sweep_random(uint64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (uint64_t n = 0; n < count; n++) {
    const uint64_t word = random();
    Bits operand[3] = {static_cast<Bits>(word), static_cast<Bits>(word >> 16),
                       static_cast<Bits>(word >> 32)};
    const unsigned more = word >> 48;
    // One in four operands is subnormal or nearly so.
    for (int k = 0; k < 3; k++)
      if ((more >> (2 * k) & 3) == 0) operand[k] &= 0x87ff;
    if (more >> 6 & 1) {  // the last operand nearly cancels the others
      const float others = OPERANDS == 3 ? widen(operand[0]) * widen(operand[1]) : widen(operand[0]);
      operand[OPERANDS - 1] = narrow(-others) + (more >> 7 & 7) - 4;
    }
    check(operand[0], operand[1], operand[2]);
  }
}

static void sweep_corners() {
  std::vector<Bits> patterns;
  for (const Bits exponent : {0, 1, 2, 5, 14, 15, 16, 25, 29, 30, 31})
    for (const Bits fraction : {0x000, 0x001, 0x155, 0x200, 0x3fe, 0x3ff})
      for (const Bits sign : {Bits(0), SIGN}) patterns.push_back(sign | exponent << 10 | fraction);
  for (const Bits a : patterns)
    for (const Bits b : patterns)
      if (OPERANDS == 3)
        for (const Bits c : patterns) check(a, b, c);
      else
        check(a, b, 0);
}

static void sweep_vectors(const char* path) {
  if (!freopen(path, "r", stdin)) exit(2);
  unsigned a, b, c = 0, expected;
  while (scanf("%x %x", &a, &b) == 2) {
    if (OPERANDS == 3 && scanf("%x", &c) != 1) exit(2);
    if (scanf("%x %*x", &expected) != 1) exit(2);
    compare({Bits(a), Bits(b), Bits(c), Bits(expected)});
  }
}

int main(int count, char** words) {
  const char* mode = count > 1 ? words[1] : "";
#if defined(UNIT_function)
  if (strcmp(mode, "vectors")) return 2;
#endif
  if (!strcmp(mode, "all") && count == 4 && OPERANDS == 2)
    sweep_all(atoi(words[2]), atoi(words[3]));
  else if (!strcmp(mode, "random") && count == 4)
    sweep_random(strtoull(words[2], nullptr, 10), strtoull(words[3], nullptr, 10));
  else if (!strcmp(mode, "corners"))
    sweep_corners();
  else if (!strcmp(mode, "vectors") && count == 3)
    sweep_vectors(words[2]);
  else
    return 2;
  const uint64_t checked = tried;
  for (int n = 1; n < LATENCY; n++) check(0, 0, 0);  // what is still under way
  printf("%" PRIu64 " wrong of %" PRIu64 "\n", wrong, checked);
  return wrong != 0;
}
