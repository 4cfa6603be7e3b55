/* Kernels for networks that `tbn-export --format c` writes as C: tiled bit layers on
 * microcontrollers. C99 without malloc, without threads, with nothing of the C library but memcpy
 * and memset. Copy this file with tbn_micro.c (int8 form) or tbn_micro_f32.c (float form) beside
 * the model; the model's own header says how to run it, and nothing here needs to be called by
 * hand.
 *
 * int8 form: an activation is a byte q that stands for scale * (q - zero), images lie row by row
 * with the channels of a pixel side by side, sums are 32 bits, and the sum of an output becomes
 *
 *   zero + round((sum * gain / 2^15 + bias * 2^bias_shift) / 2^shift), at least 0, at most 255.
 *
 * A tile is stored once. Its R = n / p unique rows are multiplied, and each sum makes p outputs,
 * the copies of a row, which differ by gain and bias alone (arXiv 2407.12075). Tables of the sums
 * of 4 inputs under each of 16 patterns of bits, made as they are needed, serve all rows; a
 * processor with DSP instructions (__ARM_FEATURE_DSP) adds 4 masked bytes an instruction instead.
 *
 * Stack: some 500 bytes at most in the int8 form, 250 with DSP instructions, 800 in the float form
 * (GCC 12 with -O2). */
#ifndef TBN_MICRO_H
#define TBN_MICRO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the windows of a convolution or a pooling lie. */
typedef struct {
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t padding_h, padding_w;
} tbn_window;

/* How many gains a layer has. */
enum { TBN_ONE_GAIN = 0, TBN_GAIN_PER_COPY = 1, TBN_GAIN_PER_OUTPUT = 2 };

/* ---- int8 form ------------------------------------------------------------------------------ */

typedef struct tbn_layer tbn_layer;
struct tbn_layer {
  /* sums[r] for each row of weights from one window of inputs: tbn_tile_sums, ... */
  void (*sums)(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
  const void* weights;   /* as `sums` reads them */
  const uint8_t* tail;   /* tbn_tile_sums: the inputs after the last 32 */
  const int16_t* alphas; /* tbn_flat_sums: of the slices */
  const int16_t* gains;
  const int16_t* biases; /* of each output, or null */
  uint32_t tile_bits;    /* tbn_flat_sums: q */
  uint16_t inputs, rows, copies;
  uint16_t row_step, copy_step; /* copy i of row r is output r * row_step + i * copy_step */
  uint8_t gain_form, alpha_step, channels_first;
  uint8_t bias_shift, shift, zero, zero_in;
};

/* Weights: a word for 32 inputs of a row, [inputs / 32][rows]: bit k is 1 where the weight of input
 * 32 j + k is +1, 0 where it is -1; `tail`: bytes of 8 further inputs, [ceil(inputs % 32 /
 * 8)][rows].
 */
void tbn_tile_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
/* Weights: bit k % 8 of byte k / 8 is that of weight k of a tile whose ends cut rows. */
void tbn_flat_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
/* Weights: int8_t [rows][inputs]: integers as they were trained, or floats rounded to them. */
void tbn_dense_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);

/* `scratch` has room for rows sums (linear), and a window of inputs after them (conv2d). */
void tbn_linear(const tbn_layer* layer, const uint8_t* x, uint8_t* y, int32_t* scratch);
void tbn_linear_logits(const tbn_layer* layer, const uint8_t* x, int32_t* y, int32_t* scratch);
void tbn_conv2d(const tbn_layer* layer, const tbn_window* window, const uint8_t* x, uint8_t* y,
                int32_t* scratch);
void tbn_conv2d_logits(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                       int32_t* y, int32_t* scratch);
/* Output c sees channel c / (outputs / channels). Weights: bits as in tbn_flat_sums, each row from
 * a byte on (tile) or not (flat); or int8_t [outputs][kernel_h][kernel_w]. */
void tbn_depthwise_tile(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                        uint8_t* y);
void tbn_depthwise_flat(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                        uint8_t* y);
void tbn_depthwise_dense(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                         uint8_t* y);

typedef struct {
  int16_t gain;
  uint8_t shift, zero, zero_in;
} tbn_mean;
void tbn_max_pool(const tbn_window* window, const uint8_t* x, uint8_t* y);
void tbn_mean_pool(const tbn_mean* mean, const tbn_window* window, const uint8_t* x, uint8_t* y);

typedef struct {
  int16_t gain_a, gain_b;
  uint8_t shift, zero, zero_a, zero_b;
} tbn_sum;
void tbn_add(const tbn_sum* sum, const uint8_t* a, const uint8_t* b, uint8_t* y, uint32_t count);

typedef struct {
  const int16_t* gains;
  const int16_t* biases; /* or null */
  uint16_t channels;
  uint8_t bias_shift, shift, zero;
} tbn_scale;
void tbn_scale_channels(const tbn_scale* scale, const uint8_t* x, uint8_t* y, uint32_t count);
void tbn_relu(const uint8_t* x, uint8_t* y, uint32_t count, uint8_t zero);
void tbn_look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, uint32_t count);
/* [pixels][channels] to [channels][pixels]. */
void tbn_channels_first(const uint8_t* x, uint8_t* y, uint32_t pixels, uint32_t channels);

/* The first of the largest. */
int tbn_argmax(const int32_t* logits, int count);
int tbn_argmax_bytes(const uint8_t* values, int count);

/* ---- float form: the same, without zeros and shifts ------------------------------------------ */

typedef struct tbn_layer_f32 tbn_layer_f32;
struct tbn_layer_f32 {
  void (*sums)(const tbn_layer_f32* layer, const float* x, float* sums);
  const void* weights;
  const uint8_t* tail;
  const float* alphas;
  const float* gains;
  const float* biases;
  uint32_t tile_bits;
  uint16_t inputs, rows, copies;
  uint16_t row_step, copy_step;
  uint8_t gain_form, alpha_step, channels_first, relu;
};

void tbn_tile_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
void tbn_flat_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
/* Weights: int8_t [rows][inputs]. */
void tbn_integer_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
/* Weights: float [rows][inputs]. */
void tbn_dense_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);

void tbn_linear_f32(const tbn_layer_f32* layer, const float* x, float* y, float* scratch);
void tbn_conv2d_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x, float* y,
                    float* scratch);
void tbn_depthwise_tile_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                            float* y);
void tbn_depthwise_flat_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                            float* y);
void tbn_depthwise_integer_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                               float* y);
void tbn_depthwise_dense_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                             float* y);
void tbn_max_pool_f32(const tbn_window* window, const float* x, float* y);
void tbn_mean_pool_f32(const tbn_window* window, const float* x, float* y);
void tbn_add_f32(const float* a, const float* b, float* y, uint32_t count, int relu);
void tbn_scale_channels_f32(const float* gains, const float* biases, uint32_t channels,
                            const float* x, float* y, uint32_t count, int relu);
void tbn_normalize_f32(const float* means, const float* gains, uint32_t channels, const float* x,
                       float* y, uint32_t count);
void tbn_relu_f32(const float* x, float* y, uint32_t count);
void tbn_gelu_f32(const float* x, float* y, uint32_t count);
void tbn_silu_f32(const float* x, float* y, uint32_t count);
void tbn_tanh_f32(const float* x, float* y, uint32_t count);
void tbn_sigmoid_f32(const float* x, float* y, uint32_t count);
void tbn_channels_first_f32(const float* x, float* y, uint32_t pixels, uint32_t channels);
/* -1 where a value is not a number. */
int tbn_argmax_f32(const float* values, int count);

#ifdef __cplusplus
}
#endif

#endif
