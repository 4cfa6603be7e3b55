/* The float form: see tbn_micro.h. No mathematics library: exp and erf are made here. */
#include "tbn_micro.h"

#include <string.h>

/* ---- sums of a window -------------------------------------------------------------------------
 */

/* The sums of 4 inputs under each pattern of bits: table[b][group] adds those whose bits in b
 * are 1. */
static float build_group(const float* x, int group, float (*table)[8]) {
  table[0][group] = 0;
  for (int k = 0, half = 1; k < 4; ++k, half *= 2) {
    for (int b = 0; b < half; ++b) table[half + b][group] = table[b][group] + x[k];
  }
  return table[15][group];
}

/* Adds to each sum those of 32 inputs whose bits are 1, and returns the sum of all 32. */
static float add_word(const float* x, const uint32_t* words, float* sums, uint32_t rows) {
  float table[16][8];
  float all = 0;
  for (int group = 0; group < 8; ++group) all += build_group(x + 4 * group, group, table);
  for (uint32_t r = 0; r < rows; ++r) {
    uint32_t word = words[r];
    float sum = sums[r];
    for (int group = 0; group < 8; ++group, word >>= 4) sum += table[word & 15][group];
    sums[r] = sum;
  }
  return all;
}

/* The same of 8 inputs, whose bits lie in bytes. */
static float add_byte(const float* x, const uint8_t* bytes, float* sums, uint32_t rows) {
  float table[16][8];
  float all = build_group(x, 0, table);
  all += build_group(x + 4, 1, table);
  for (uint32_t r = 0; r < rows; ++r) {
    sums[r] += table[bytes[r] & 15][0] + table[bytes[r] >> 4][1];
  }
  return all;
}

/* With P the sum of the inputs whose weight is +1 and S that of all, the row's sum is 2 P - S. */
void tbn_tile_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums) {
  const uint32_t rows = layer->rows;
  const uint32_t* words = (const uint32_t*)layer->weights;
  const uint8_t* tail = layer->tail;
  uint32_t left = layer->inputs;
  float all = 0;
  for (uint32_t r = 0; r < rows; ++r) sums[r] = 0;
  for (; left >= 32; left -= 32, x += 32, words += rows) all += add_word(x, words, sums, rows);
  for (; left >= 8; left -= 8, x += 8, tail += rows) all += add_byte(x, tail, sums, rows);
  if (left > 0) {
    float rest[8] = {0};
    memcpy(rest, x, left * sizeof *x);
    all += add_byte(rest, tail, sums, rows);
  }
  for (uint32_t r = 0; r < rows; ++r) sums[r] = 2 * sums[r] - all;
}

void tbn_flat_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums) {
  const uint8_t* bits = (const uint8_t*)layer->weights;
  const float* alpha = layer->alphas;
  uint32_t bit = 0;
  for (uint32_t r = 0; r < layer->rows; ++r) {
    float whole = 0, part = 0;
    uint32_t added = 0; /* since a slice ended */
    for (uint32_t k = 0; k < layer->inputs; ++k) {
      part += bits[bit >> 3] >> (bit & 7) & 1 ? x[k] : -x[k];
      ++added;
      if (++bit < layer->tile_bits) continue;
      whole += part * *alpha;
      alpha += layer->alpha_step;
      part = 0;
      bit = added = 0;
    }
    sums[r] = added == 0 ? whole : whole + part * *alpha;
  }
}

void tbn_integer_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums) {
  const int8_t* weights = (const int8_t*)layer->weights;
  for (uint32_t r = 0; r < layer->rows; ++r) {
    float sum = 0;
    for (uint32_t k = 0; k < layer->inputs; ++k) sum += (float)weights[k] * x[k];
    sums[r] = sum;
    weights += layer->inputs;
  }
}

void tbn_dense_sums_f32(const tbn_layer_f32* layer, const float* x, float* sums) {
  const float* weights = (const float*)layer->weights;
  for (uint32_t r = 0; r < layer->rows; ++r) {
    float sum = 0;
    for (uint32_t k = 0; k < layer->inputs; ++k) sum += weights[k] * x[k];
    sums[r] = sum;
    weights += layer->inputs;
  }
}

/* ---- from sums to outputs ---------------------------------------------------------------------
 */

static float finished(const tbn_layer_f32* layer, float sum, uint32_t c, uint32_t copy) {
  const uint32_t gain = layer->gain_form == TBN_GAIN_PER_OUTPUT ? c
                        : layer->gain_form == TBN_GAIN_PER_COPY ? copy
                                                                : 0;
  float value = layer->gains[gain] * sum;
  if (layer->biases != 0) value += layer->biases[c];
  return layer->relu && value < 0 ? 0 : value;
}

static void finish(const tbn_layer_f32* layer, const float* sums, float* y) {
  for (uint32_t copy = 0; copy < layer->copies; ++copy) {
    uint32_t c = copy * layer->copy_step;
    for (uint32_t r = 0; r < layer->rows; ++r, c += layer->row_step) {
      y[c] = finished(layer, sums[r], c, copy);
    }
  }
}

void tbn_linear_f32(const tbn_layer_f32* layer, const float* x, float* y, float* scratch) {
  layer->sums(layer, x, scratch);
  finish(layer, scratch, y);
}

/* ---- windows ----------------------------------------------------------------------------------
 */

/* Where tap (i, j) of the window at an output pixel lies among the input's pixels; -1: nowhere. */
static int32_t pixel_at(const tbn_window* w, uint32_t row, uint32_t column, uint32_t i,
                        uint32_t j) {
  const int32_t y = (int32_t)(row * w->stride_h + i) - (int32_t)w->padding_h;
  const int32_t x = (int32_t)(column * w->stride_w + j) - (int32_t)w->padding_w;
  if (y < 0 || y >= (int32_t)w->in_h || x < 0 || x >= (int32_t)w->in_w) return -1;
  return y * (int32_t)w->in_w + x;
}

/* The window as its weights count it: row, column, channel; or channel, row, column. */
static void gather(const tbn_layer_f32* layer, const tbn_window* w, uint32_t row, uint32_t column,
                   const float* x, float* to) {
  const uint32_t taps = (uint32_t)w->kernel_h * w->kernel_w;
  const uint32_t tap_step = layer->channels_first ? 1 : w->channels;
  const uint32_t channel_step = layer->channels_first ? taps : 1;
  for (uint32_t tap = 0; tap < taps; ++tap, to += tap_step) {
    const int32_t pixel = pixel_at(w, row, column, tap / w->kernel_w, tap % w->kernel_w);
    for (uint32_t c = 0; c < w->channels; ++c) {
      to[c * channel_step] = pixel < 0 ? 0 : x[(uint32_t)pixel * w->channels + c];
    }
  }
}

void tbn_conv2d_f32(const tbn_layer_f32* layer, const tbn_window* w, const float* x, float* y,
                    float* scratch) {
  const uint32_t outputs = (uint32_t)layer->rows * layer->copies;
  float* window = scratch + layer->rows;
  for (uint32_t row = 0; row < w->out_h; ++row) {
    for (uint32_t column = 0; column < w->out_w; ++column, y += outputs) {
      gather(layer, w, row, column, x, window);
      layer->sums(layer, window, scratch);
      finish(layer, scratch, y);
    }
  }
}

static float tile_weight(const tbn_layer_f32* layer, uint32_t row, uint32_t k) {
  const uint32_t row_bytes = ((uint32_t)layer->inputs + 7) / 8;
  const uint8_t* bits = (const uint8_t*)layer->weights + row * row_bytes;
  return bits[k >> 3] >> (k & 7) & 1 ? 1.0f : -1.0f;
}

static float flat_weight(const tbn_layer_f32* layer, uint32_t row, uint32_t k) {
  const uint8_t* bits = (const uint8_t*)layer->weights;
  const uint32_t at = row * layer->inputs + k, bit = at % layer->tile_bits;
  const float alpha = layer->alphas[at / layer->tile_bits * layer->alpha_step];
  return bits[bit >> 3] >> (bit & 7) & 1 ? alpha : -alpha;
}

static float integer_weight(const tbn_layer_f32* layer, uint32_t row, uint32_t k) {
  return (float)((const int8_t*)layer->weights)[row * layer->inputs + k];
}

static float dense_weight(const tbn_layer_f32* layer, uint32_t row, uint32_t k) {
  return ((const float*)layer->weights)[row * layer->inputs + k];
}

static void depthwise(float (*weight)(const tbn_layer_f32*, uint32_t, uint32_t),
                      const tbn_layer_f32* layer, const tbn_window* w, const float* x, float* y) {
  const uint32_t outputs = (uint32_t)layer->rows * layer->copies;
  const uint32_t outputs_per_channel = outputs / w->channels;
  for (uint32_t at = 0; at < (uint32_t)w->out_h * w->out_w; ++at, y += outputs) {
    for (uint32_t copy = 0; copy < layer->copies; ++copy) {
      uint32_t c = copy * layer->copy_step;
      for (uint32_t r = 0; r < layer->rows; ++r, c += layer->row_step) {
        float sum = 0;
        for (uint32_t k = 0; k < layer->inputs; ++k) {
          const int32_t pixel =
              pixel_at(w, at / w->out_w, at % w->out_w, k / w->kernel_w, k % w->kernel_w);
          if (pixel < 0) continue;
          sum += weight(layer, r, k) * x[(uint32_t)pixel * w->channels + c / outputs_per_channel];
        }
        y[c] = finished(layer, sum, c, copy);
      }
    }
  }
}

void tbn_depthwise_tile_f32(const tbn_layer_f32* layer, const tbn_window* w, const float* x,
                            float* y) {
  depthwise(tile_weight, layer, w, x, y);
}

void tbn_depthwise_flat_f32(const tbn_layer_f32* layer, const tbn_window* w, const float* x,
                            float* y) {
  depthwise(flat_weight, layer, w, x, y);
}

void tbn_depthwise_integer_f32(const tbn_layer_f32* layer, const tbn_window* w, const float* x,
                               float* y) {
  depthwise(integer_weight, layer, w, x, y);
}

void tbn_depthwise_dense_f32(const tbn_layer_f32* layer, const tbn_window* w, const float* x,
                             float* y) {
  depthwise(dense_weight, layer, w, x, y);
}

static void pool(const tbn_window* w, const float* x, float* y, int largest) {
  const uint32_t taps = (uint32_t)w->kernel_h * w->kernel_w;
  for (uint32_t at = 0; at < (uint32_t)w->out_h * w->out_w; ++at) {
    for (uint32_t c = 0; c < w->channels; ++c) {
      float result = 0;
      int none = 1;
      for (uint32_t k = 0; k < taps; ++k) {
        const int32_t pixel =
            pixel_at(w, at / w->out_w, at % w->out_w, k / w->kernel_w, k % w->kernel_w);
        if (pixel < 0) continue;
        const float value = x[(uint32_t)pixel * w->channels + c];
        /* A value that is not a number stays one. */
        const int larger = value > result || value != value;
        result = none ? value : !largest ? result + value : larger ? value : result;
        none = 0;
      }
      *y++ = largest ? result : result / (float)taps;
    }
  }
}

void tbn_max_pool_f32(const tbn_window* w, const float* x, float* y) { pool(w, x, y, 1); }

void tbn_mean_pool_f32(const tbn_window* w, const float* x, float* y) { pool(w, x, y, 0); }

/* ---- value by value ---------------------------------------------------------------------------
 */

void tbn_add_f32(const float* a, const float* b, float* y, uint32_t count, int relu) {
  for (uint32_t i = 0; i < count; ++i) {
    const float value = a[i] + b[i];
    y[i] = relu && value < 0 ? 0 : value;
  }
}

void tbn_scale_channels_f32(const float* gains, const float* biases, uint32_t channels,
                            const float* x, float* y, uint32_t count, int relu) {
  uint32_t c = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const float value = gains[c] * x[i] + biases[c];
    y[i] = relu && value < 0 ? 0 : value;
    if (++c == channels) c = 0;
  }
}

void tbn_normalize_f32(const float* means, const float* gains, uint32_t channels, const float* x,
                       float* y, uint32_t count) {
  uint32_t c = 0;
  for (uint32_t i = 0; i < count; ++i) {
    y[i] = gains[c] * (x[i] - means[c]);
    if (++c == channels) c = 0;
  }
}

void tbn_relu_f32(const float* x, float* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

/* e^x: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2], to 3e-7 of the value. */
static float exponential(float x) {
  if (x != x) return x;
  if (x > 88) x = 88;
  if (x < -87) x = -87;
  const int32_t n = (int32_t)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
  const float r = x - (float)n * 0.693145752f - (float)n * 1.42860677e-6f;
  const float e =
      1 + r * (1 + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * 0.00833333333f))));
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return e * power;
}

static float sigmoid(float x) { return 1 / (1 + exponential(-x)); }

/* The error function to 2e-7 (Abramowitz and Stegun 1964, 7.1.26). */
static float error_function(float x) {
  const float magnitude = x < 0 ? -x : x;
  const float t = 1 / (1 + 0.3275911f * magnitude);
  const float sum =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float value = 1 - sum * exponential(-magnitude * magnitude);
  return x < 0 ? -value : value;
}

void tbn_gelu_f32(const float* x, float* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    y[i] = 0.5f * x[i] * (1 + error_function(x[i] * 0.707106781f));
  }
}

void tbn_silu_f32(const float* x, float* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) y[i] = x[i] * sigmoid(x[i]);
}

void tbn_tanh_f32(const float* x, float* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) y[i] = 2 * sigmoid(2 * x[i]) - 1;
}

void tbn_sigmoid_f32(const float* x, float* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) y[i] = sigmoid(x[i]);
}

void tbn_channels_first_f32(const float* x, float* y, uint32_t pixels, uint32_t channels) {
  for (uint32_t c = 0; c < channels; ++c) {
    for (uint32_t i = 0; i < pixels; ++i) *y++ = x[i * channels + c];
  }
}

int tbn_argmax_f32(const float* values, int count) {
  int best = 0;
  for (int i = 0; i < count; ++i) {
    if (values[i] != values[i]) return -1;
    if (values[i] > values[best]) best = i;
  }
  return best;
}
