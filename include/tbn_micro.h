/** @file
 * Kernels for networks that `tbn-export --format c` writes as C: tiled bit layers on
 * microcontrollers. C99 without malloc, without threads, with nothing of the C library but memcpy
 * and memset. Copy this file with tbn_micro.c (int8 form) or tbn_micro_f32.c (float form) beside
 * the model; the model's own header says how to run it, and nothing here needs to be called by
 * hand.
 *
 * int8 form: an activation is a byte q that stands for scale * (q - zero), images lie row by row
 * with the channels of a pixel side by side, sums are 32 bits, and the sum of an output becomes
 *
 *     zero + round((sum * gain / 2^15 + bias * 2^bias_shift) / 2^shift)
 *
 * of at least 0 and at most 255.
 *
 * A tile is stored once. Its R = n / p unique rows are multiplied, and each sum makes p outputs,
 * the copies of a row, which differ by gain and bias alone (arXiv 2407.12075). Tables of the sums
 * of 4 inputs under each of 16 patterns of bits, made as they are needed, serve all rows; a
 * processor with DSP instructions (__ARM_FEATURE_DSP) adds 4 masked bytes per instruction instead.
 *
 * Stack: some 500 bytes at most in the int8 form, 250 with DSP instructions, 800 in the float form
 * (GCC 12 with -O2). */
#ifndef TBN_MICRO_H
#define TBN_MICRO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the windows of a convolution or a pooling lie. */
typedef struct {
  uint16_t in_h;      /**< rows of the input */
  uint16_t in_w;      /**< columns of the input */
  uint16_t channels;  /**< of the input */
  uint16_t out_h;     /**< rows of the output */
  uint16_t out_w;     /**< columns of the output */
  uint16_t kernel_h;  /**< rows of a window */
  uint16_t kernel_w;  /**< columns of a window */
  uint16_t stride_h;  /**< rows from one window to the next */
  uint16_t stride_w;  /**< columns from one window to the next */
  uint16_t padding_h; /**< rows of zeros above the input */
  uint16_t padding_w; /**< columns of zeros left of the input */
} tbn_window;

/** How many gains a layer has: one, one per copy of the rows, or one per output. */
enum { TBN_ONE_GAIN = 0, TBN_GAIN_PER_COPY = 1, TBN_GAIN_PER_OUTPUT = 2 };

/* ---- int8 form ------------------------------------------------------------------------------ */

/** A layer of the int8 form. */
typedef struct tbn_layer tbn_layer;
/** A convolution or a linear layer. */
struct tbn_layer {
  /** sums[r] for each row of weights from one window of inputs: tbn_tile_sums, tbn_flat_sums or
   * tbn_dense_sums. */
  void (*sums)(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
  const void* weights;   /**< as `sums` reads them */
  const uint8_t* tail;   /**< tbn_tile_sums: the weights of the inputs after the last 32 */
  const int16_t* alphas; /**< tbn_flat_sums: scalars of the slices */
  const int16_t* gains;  /**< as many as gain_form says */
  const int16_t* biases; /**< one per output, or null */
  uint32_t tile_bits;    /**< tbn_flat_sums: q */
  uint16_t inputs;       /**< per row of weights */
  uint16_t rows;         /**< of weights */
  uint16_t copies;       /**< outputs per row */
  uint16_t row_step;     /**< copy i of row r is output r * row_step + i * copy_step */
  uint16_t copy_step;    /**< see row_step */
  uint8_t gain_form;     /**< TBN_ONE_GAIN, TBN_GAIN_PER_COPY or TBN_GAIN_PER_OUTPUT */
  uint8_t alpha_step; /**< tbn_flat_sums: 1 where each slice has a scalar, 0 where one serves all */
  uint8_t channels_first; /**< whether windows are gathered channel by channel */
  uint8_t bias_shift;     /**< see the head of this file, as the next two */
  uint8_t shift;          /**< bits that the sum is shifted right by */
  uint8_t zero;           /**< byte that stands for 0 in the output */
  uint8_t zero_in;        /**< byte that stands for 0 in the input */
};

/** Sums of a tile of whole rows. Weights: one word per 32 inputs of a row, [inputs / 32][rows]: bit
 * k is 1 where the weight of input 32 j + k is +1, 0 where it is -1; `tail`: bytes of 8 further
 * inputs, [ceil(inputs % 32 / 8)][rows]. */
void tbn_tile_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
/** Sums of a tile whose ends cut rows. Weights: bit k % 8 of byte k / 8 is that of weight k. */
void tbn_flat_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);
/** Sums of integers, as they were trained, or of floats rounded to them. Weights: int8_t
 * [rows][inputs]. */
void tbn_dense_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums);

/** A linear layer: y [outputs] from x [inputs]. `scratch` has room for as many sums as rows. */
void tbn_linear(const tbn_layer* layer, const uint8_t* x, uint8_t* y, int32_t* scratch);
/** The same for the last layer: y holds logits, sum * gain / 2^15 + bias * 2^bias_shift, in 32
 * bits. */
void tbn_linear_logits(const tbn_layer* layer, const uint8_t* x, int32_t* y, int32_t* scratch);
/** A convolution: y [out_h][out_w][outputs] from x [in_h][in_w][channels]. `scratch` has room for
 * as many sums as rows, and for one window of inputs after them. */
void tbn_conv2d(const tbn_layer* layer, const tbn_window* window, const uint8_t* x, uint8_t* y,
                int32_t* scratch);
/** The same for the last layer: y holds logits, sum * gain / 2^15 + bias * 2^bias_shift, in 32
 * bits. */
void tbn_conv2d_logits(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                       int32_t* y, int32_t* scratch);
/** A convolution of each channel by itself: output c sees channel c / (outputs / channels).
 * Weights: bits as in tbn_flat_sums, each row from a byte on. */
void tbn_depthwise_tile(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                        uint8_t* y);
/** The same with a tile whose ends cut rows. Weights: as in tbn_flat_sums. */
void tbn_depthwise_flat(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                        uint8_t* y);
/** The same with integers. Weights: int8_t [outputs][kernel_h][kernel_w]. */
void tbn_depthwise_dense(const tbn_layer* layer, const tbn_window* window, const uint8_t* x,
                         uint8_t* y);

/** How a sum of bytes becomes the byte of their mean. */
typedef struct {
  int16_t gain;    /**< factor of the sum, times 2^15 */
  uint8_t shift;   /**< bits that the product is shifted right by */
  uint8_t zero;    /**< byte that stands for 0 in the output */
  uint8_t zero_in; /**< byte that stands for 0 in the input */
} tbn_mean;
/** The largest value of each window and channel. */
void tbn_max_pool(const tbn_window* window, const uint8_t* x, uint8_t* y);
/** The mean of each window and channel. */
void tbn_mean_pool(const tbn_mean* mean, const tbn_window* window, const uint8_t* x, uint8_t* y);

/** How two bytes of different scales are added. */
typedef struct {
  int16_t gain_a; /**< factor of the first, times 2^15 */
  int16_t gain_b; /**< factor of the second, times 2^15 */
  uint8_t shift;  /**< bits that the sum is shifted right by */
  uint8_t zero;   /**< byte that stands for 0 in the output */
  uint8_t zero_a; /**< byte that stands for 0 in the first */
  uint8_t zero_b; /**< byte that stands for 0 in the second */
} tbn_sum;
/** y = a + b for `count` values. */
void tbn_add(const tbn_sum* sum, const uint8_t* a, const uint8_t* b, uint8_t* y, uint32_t count);

/** A factor and a bias per channel. */
typedef struct {
  const int16_t* gains;  /**< one per channel */
  const int16_t* biases; /**< one per channel, or null */
  uint16_t channels;     /**< of the value */
  uint8_t bias_shift;    /**< see the head of this file, as the next two */
  uint8_t shift;         /**< bits that the sum is shifted right by */
  uint8_t zero;          /**< byte that stands for 0 in the output */
} tbn_scale;
/** y = gain * x + bias per channel, for `count` values with their channels side by side. */
void tbn_scale_channels(const tbn_scale* scale, const uint8_t* x, uint8_t* y, uint32_t count);
/** y = max(x, zero) for `count` values. */
void tbn_relu(const uint8_t* x, uint8_t* y, uint32_t count, uint8_t zero);
/** y = table[x] for `count` values, with a table of 256. */
void tbn_look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, uint32_t count);
/** x [pixels][channels] as y [channels][pixels]. */
void tbn_channels_first(const uint8_t* x, uint8_t* y, uint32_t pixels, uint32_t channels);

/** The index of the largest logit, of equal ones the first. */
int tbn_argmax(const int32_t* logits, int count);
/** The same for bytes. */
int tbn_argmax_bytes(const uint8_t* values, int count);

/* ---- float form: the same, without zeros and shifts ------------------------------------------ */

/** A layer of the float form. */
typedef struct tbn_layer_f32 tbn_layer_f32;
/** A convolution or a linear layer; its fields are those of tbn_layer. */
struct tbn_layer_f32 {
  /** sums[r] for each row of weights from one window of inputs: tbn_tile_sums_f32, ... */
  void (*sums)(const tbn_layer_f32* layer, const float* x, float* sums);
  const void* weights;    /**< as `sums` reads them */
  const uint8_t* tail;    /**< tbn_tile_sums_f32: the weights of the inputs after the last 32 */
  const float* alphas;    /**< tbn_flat_sums_f32: scalars of the slices */
  const float* gains;     /**< as many as gain_form says */
  const float* biases;    /**< one per output, or null */
  uint32_t tile_bits;     /**< tbn_flat_sums_f32: q */
  uint16_t inputs;        /**< per row of weights */
  uint16_t rows;          /**< of weights */
  uint16_t copies;        /**< outputs per row */
  uint16_t row_step;      /**< copy i of row r is output r * row_step + i * copy_step */
  uint16_t copy_step;     /**< see row_step */
  uint8_t gain_form;      /**< TBN_ONE_GAIN, TBN_GAIN_PER_COPY or TBN_GAIN_PER_OUTPUT */
  uint8_t alpha_step;     /**< as in tbn_layer */
  uint8_t channels_first; /**< whether windows are gathered channel by channel */
  uint8_t relu;           /**< whether outputs below 0 become 0 */
};

/** As tbn_tile_sums, for floats. */
void tbn_tile_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
/** As tbn_flat_sums, for floats. */
void tbn_flat_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
/** Sums of integers. Weights: int8_t [rows][inputs]. */
void tbn_integer_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);
/** Sums of floats. Weights: float [rows][inputs]. */
void tbn_dense_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums);

/** As tbn_linear, for floats. */
void tbn_linear_f32(const tbn_layer_f32* layer, const float* x, float* y, float* scratch);
/** As tbn_conv2d, for floats. */
void tbn_conv2d_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x, float* y,
                    float* scratch);
/** As tbn_depthwise_tile, for floats. */
void tbn_depthwise_tile_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                            float* y);
/** As tbn_depthwise_flat, for floats. */
void tbn_depthwise_flat_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                            float* y);
/** As tbn_depthwise_dense, for floats. */
void tbn_depthwise_integer_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                               float* y);
/** The same with floats as weights, [outputs][kernel_h][kernel_w]. */
void tbn_depthwise_dense_f32(const tbn_layer_f32* layer, const tbn_window* window, const float* x,
                             float* y);
/** The largest value of each window and channel. */
void tbn_max_pool_f32(const tbn_window* window, const float* x, float* y);
/** The mean of each window and channel. */
void tbn_mean_pool_f32(const tbn_window* window, const float* x, float* y);
/** y = a + b for `count` values; where `relu` is not 0, at least 0. */
void tbn_add_f32(const float* a, const float* b, float* y, uint32_t count, int relu);
/** y = gain * x + bias per channel, for `count` values with their channels side by side; where
 * `relu` is not 0, at least 0. */
void tbn_scale_channels_f32(const float* gains, const float* biases, uint32_t channels,
                            const float* x, float* y, uint32_t count, int relu);
/** y = (x - mean) * gain per channel, for `count` values with their channels side by side. */
void tbn_normalize_f32(const float* means, const float* gains, uint32_t channels, const float* x,
                       float* y, uint32_t count);
/** y = max(x, 0) for `count` values. */
void tbn_relu_f32(const float* x, float* y, uint32_t count);
/** y = x Phi(x) for `count` values, with the normal distribution function. */
void tbn_gelu_f32(const float* x, float* y, uint32_t count);
/** y = x sigmoid(x) for `count` values. */
void tbn_silu_f32(const float* x, float* y, uint32_t count);
/** y = tanh(x) for `count` values. */
void tbn_tanh_f32(const float* x, float* y, uint32_t count);
/** y = 1 / (1 + exp(-x)) for `count` values. */
void tbn_sigmoid_f32(const float* x, float* y, uint32_t count);
/** x [pixels][channels] as y [channels][pixels]. */
void tbn_channels_first_f32(const float* x, float* y, uint32_t pixels, uint32_t channels);
/** The index of the largest value, of equal ones the first; -1 where one is not a number. */
int tbn_argmax_f32(const float* values, int count);

#ifdef __cplusplus
}
#endif

#endif
