/* Counts instructions of one linear layer: the tile of linear_data.h (R rows, p copies) by
 * tbn_linear, and a dense int8 layer of the same outputs by a plain loop and, with DSP
 * instructions, by a loop of SXTB16 and SMLAD over four rows as CMSIS-NN has it. Each is first
 * compared with sums that the data's author made. */
#include "firmware.h"
#include "linear_data.h"
#include "tbn_micro.h"

#include <string.h>

static const int16_t kGain[1] = {32767};
static const tbn_layer kLayer = {
    tbn_tile_sums, tile_words,   tile_tail, 0, kGain, 0, 0,   INPUTS, ROWS, COPIES, 1,
    ROWS,          TBN_ONE_GAIN, 0,         0, 0,     8, 128, 0};
static uint8_t x[INPUTS];
static uint8_t y[OUTPUTS];
static int32_t sums[OUTPUTS];

__attribute__((noinline)) static void plain(void) {
  const int8_t* w = dense;
  for (int r = 0; r < OUTPUTS; ++r) {
    int32_t sum = 0;
    for (int k = 0; k < INPUTS; ++k) sum += w[k] * (x[k] - 128);
    sums[r] = sum;
    w += INPUTS;
  }
}

#ifdef __ARM_FEATURE_DSP
static inline int32_t smlad(uint32_t a, uint32_t b, int32_t sum) {
  int32_t result;
  __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}
static inline uint32_t low_bytes(uint32_t bytes) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
  return pair;
}
static inline uint32_t high_bytes(uint32_t bytes) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
  return pair;
}
static inline uint32_t four(const void* at) {
  uint32_t bytes;
  memcpy(&bytes, at, 4);
  return bytes;
}

/* Inputs as int8: q - 128. */
__attribute__((noinline)) static void packed(const int8_t* in) {
  for (int r = 0; r < OUTPUTS; r += 4) {
    const int8_t *w0 = dense + r * INPUTS, *w1 = w0 + INPUTS, *w2 = w1 + INPUTS, *w3 = w2 + INPUTS;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int k = 0; k < INPUTS; k += 4) {
      const uint32_t a = four(in + k), low = low_bytes(a), high = high_bytes(a);
      const uint32_t b0 = four(w0 + k), b1 = four(w1 + k), b2 = four(w2 + k), b3 = four(w3 + k);
      s0 = smlad(high_bytes(b0), high, smlad(low_bytes(b0), low, s0));
      s1 = smlad(high_bytes(b1), high, smlad(low_bytes(b1), low, s1));
      s2 = smlad(high_bytes(b2), high, smlad(low_bytes(b2), low, s2));
      s3 = smlad(high_bytes(b3), high, smlad(low_bytes(b3), low, s3));
    }
    sums[r] = s0;
    sums[r + 1] = s1;
    sums[r + 2] = s2;
    sums[r + 3] = s3;
  }
}
#endif

static int differs(const int32_t* expected, int count) {
  const int wrong = memcmp(sums, expected, (uint32_t)count * 4) != 0;
  memset(sums, 0x55, sizeof sums);
  return wrong;
}

int main(void) {
  memcpy(x, input, INPUTS);
  tbn_tile_sums(&kLayer, x, sums);
  if (differs(expected_tile, ROWS)) return 2;
  start_count();
  tbn_linear(&kLayer, x, y, sums);
  host_print_number("tile", counted_instructions());

  plain();
  if (differs(expected_dense, OUTPUTS)) return 3;
  start_count();
  plain();
  host_print_number("plain", counted_instructions());

#ifdef __ARM_FEATURE_DSP
  static int8_t signed_input[INPUTS];
  for (int k = 0; k < INPUTS; ++k) signed_input[k] = (int8_t)(x[k] - 128);
  packed(signed_input);
  if (differs(expected_dense, OUTPUTS)) return 4;
  start_count();
  packed(signed_input);
  host_print_number("smlad", counted_instructions());
#endif
  return 0;
}
