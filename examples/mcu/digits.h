/* custom as C99, written by tbn-export.
 *
 *   fill digits_input(): DIGITS_INPUT_SIZE values, 28 rows of 28 pixels of 1 channels
 *   then digits_predict(): the class, or digits_run(): the outputs
 *
 * The input lies in the arena and is written over: fill it before each run; two runs
 * at once are not possible.
 * Inputs are bytes, images with the channels of a pixel side by side; an output q
 * stands for OUTPUT_SCALE * (q - OUTPUT_ZERO). Integers alone.
 *
 * Constants: 2564 bytes of weights, 710 of scalars, 3710 in all. Arena: 7280 bytes. */
/* clang-format off */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIGITS_INPUT_SIZE 784
#define DIGITS_OUTPUTS 10
#define DIGITS_ARENA_BYTES 7280
#define DIGITS_OUTPUT_SCALE 0.027195105f
#define DIGITS_OUTPUT_ZERO 0

uint8_t *digits_input(void);
const int32_t *digits_run(void);
int digits_predict(void);

#ifdef __cplusplus
}
#endif

#endif
