/* The int8 form: see tbn_micro.h. */
#include "tbn_micro.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tbn_micro reads pairs of 16-bit sums as the halves of a word, low half first"
#endif

#ifdef __GNUC__
#define TBN_APART __attribute__((noinline))
#else
#define TBN_APART
#endif

/* Shifts of negative numbers must round down, as they do with every compiler for these processors.
 */
typedef char tbn_shifts_round_down[(-1 >> 1) == -1 ? 1 : -1];

/* sum * gain / 2^15, rounded down, without a product of more than 32 bits. */
static int32_t scaled(int32_t sum, int32_t gain) {
  return (sum >> 15) * gain + (((sum & 0x7fff) * gain) >> 15);
}

static uint8_t to_byte(int32_t value, unsigned shift, int32_t zero) {
  value = ((value + ((1 << shift) >> 1)) >> shift) + zero;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* ---- sums of a window -------------------------------------------------------------------------
 */

#if defined(__ARM_FEATURE_DSP) && !defined(TBN_NO_DSP)

/* sum + the bytes of x whose bits 16..19 in `bits` are 1. */
static inline uint32_t add_chosen(uint32_t bits, uint32_t x, uint32_t sum) {
  uint32_t chosen;
  __asm__(
      "msr APSR_g, %[bits]\n\t"
      "sel %[chosen], %[x], %[none]\n\t"
      "usada8 %[sum], %[chosen], %[none], %[sum]"
      : [chosen] "=&r"(chosen), [sum] "+r"(sum)
      : [bits] "r"(bits), [x] "r"(x), [none] "r"(0)
      : "cc");
  return sum;
}

/* Adds to each sum those of 32 inputs whose bits are 1, and returns the sum of all 32. */
static uint32_t add_word(const uint8_t* x, const uint32_t* words, int32_t* sums, uint32_t rows) {
  uint32_t in[8];
  memcpy(in, x, sizeof in);
  const uint32_t x0 = in[0], x1 = in[1], x2 = in[2], x3 = in[3];
  for (uint32_t r = 0; r < rows; ++r) {
    const uint32_t word = words[r];
    uint32_t sum = (uint32_t)sums[r];
    sum = add_chosen(word << 16, x0, sum);
    sum = add_chosen(word << 12, x1, sum);
    sum = add_chosen(word << 8, x2, sum);
    sum = add_chosen(word << 4, x3, sum);
    sums[r] = (int32_t)sum;
  }
  const uint32_t x4 = in[4], x5 = in[5], x6 = in[6], x7 = in[7];
  for (uint32_t r = 0; r < rows; ++r) {
    const uint32_t word = words[r];
    uint32_t sum = (uint32_t)sums[r];
    sum = add_chosen(word, x4, sum);
    sum = add_chosen(word >> 4, x5, sum);
    sum = add_chosen(word >> 8, x6, sum);
    sum = add_chosen(word >> 12, x7, sum);
    sums[r] = (int32_t)sum;
  }
  uint32_t all = 0;
  for (int k = 0; k < 8; ++k) all = add_chosen(0xf0000, in[k], all);
  return all;
}

/* The same of 8 inputs, whose bits lie in bytes. */
static uint32_t add_byte(const uint8_t* x, const uint8_t* bytes, int32_t* sums, uint32_t rows) {
  uint32_t in[2];
  memcpy(in, x, sizeof in);
  for (uint32_t r = 0; r < rows; ++r) {
    const uint32_t bits = bytes[r];
    sums[r] =
        (int32_t)add_chosen(bits << 12, in[1], add_chosen(bits << 16, in[0], (uint32_t)sums[r]));
  }
  return add_chosen(0xf0000, in[1], add_chosen(0xf0000, in[0], 0));
}

#else

/* The sums of groups of 4 inputs under each pattern of bits: half g of entry b is that of the
 * inputs 4 g .. 4 g + 3 whose bits in b are 1. Two groups are added at once, in the halves of a
 * word. */
typedef union {
  uint32_t pairs[4];
  uint16_t groups[8];
} sums_of_pattern;

/* What a table says of a pattern that lies in bits 4 to 7: there it counts the bytes to its entry.
 */
static inline uint32_t look_up(const sums_of_pattern* table, uint32_t word, int group) {
  const char* entry = (const char*)table + (word & 0xf0);
  return ((const sums_of_pattern*)entry)->groups[group];
}

/* Of the inputs 8 j .. 8 j + 7, the groups 2 j and 2 j + 1. Returns their sum. */
static inline uint32_t build_pair(const uint8_t* x, int j, sums_of_pattern* table) {
  const uint32_t a = x[0] | (uint32_t)x[4] << 16, b = x[1] | (uint32_t)x[5] << 16;
  const uint32_t c = x[2] | (uint32_t)x[6] << 16, d = x[3] | (uint32_t)x[7] << 16;
  const uint32_t ab = a + b, ac = a + c, bc = b + c, abc = ab + c;
  table[0].pairs[j] = 0;
  table[1].pairs[j] = a;
  table[2].pairs[j] = b;
  table[3].pairs[j] = ab;
  table[4].pairs[j] = c;
  table[5].pairs[j] = ac;
  table[6].pairs[j] = bc;
  table[7].pairs[j] = abc;
  table[8].pairs[j] = d;
  table[9].pairs[j] = a + d;
  table[10].pairs[j] = b + d;
  table[11].pairs[j] = ab + d;
  table[12].pairs[j] = c + d;
  table[13].pairs[j] = ac + d;
  table[14].pairs[j] = bc + d;
  table[15].pairs[j] = abc + d;
  return ((abc + d) & 0xffff) + ((abc + d) >> 16);
}

/* Apart from where the table is built, so that a register holds its place. */
TBN_APART static void add_patterns(const sums_of_pattern* table, const uint32_t* words,
                                   int32_t* sums, uint32_t rows) {
  for (const uint32_t* end = words + rows; words != end; ++words, ++sums) {
    const uint32_t word = *words;
    uint32_t sum = (uint32_t)*sums;
    sum += look_up(table, word << 4, 0);
    sum += look_up(table, word, 1);
    sum += look_up(table, word >> 4, 2);
    sum += look_up(table, word >> 8, 3);
    sum += look_up(table, word >> 12, 4);
    sum += look_up(table, word >> 16, 5);
    sum += look_up(table, word >> 20, 6);
    sum += look_up(table, word >> 24, 7);
    *sums = (int32_t)sum;
  }
}

/* Adds to each sum those of 32 inputs whose bits are 1, and returns the sum of all 32. */
static uint32_t add_word(const uint8_t* x, const uint32_t* words, int32_t* sums, uint32_t rows) {
  sums_of_pattern table[16];
  uint32_t all = 0;
  for (int j = 0; j < 4; ++j) all += build_pair(x + 8 * j, j, table);
  add_patterns(table, words, sums, rows);
  return all;
}

/* The same of 8 inputs, whose bits lie in bytes. */
static uint32_t add_byte(const uint8_t* x, const uint8_t* bytes, int32_t* sums, uint32_t rows) {
  sums_of_pattern table[16];
  const uint32_t all = build_pair(x, 0, table);
  for (uint32_t r = 0; r < rows; ++r) {
    const uint32_t bits = bytes[r];
    sums[r] += (int32_t)(look_up(table, bits << 4, 0) + look_up(table, bits, 1));
  }
  return all;
}

#endif

/* With P the sum of the inputs whose weight is +1 and S that of all, the row's sum is 2 P - S. */
void tbn_tile_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums) {
  const uint32_t rows = layer->rows;
  const uint32_t* words = (const uint32_t*)layer->weights;
  const uint8_t* tail = layer->tail;
  uint32_t left = layer->inputs, all = 0;
  memset(sums, 0, rows * sizeof *sums);
  for (; left >= 32; left -= 32, x += 32, words += rows) all += add_word(x, words, sums, rows);
  for (; left >= 8; left -= 8, x += 8, tail += rows) all += add_byte(x, tail, sums, rows);
  if (left > 0) {
    uint8_t rest[8] = {0};
    memcpy(rest, x, left);
    all += add_byte(rest, tail, sums, rows);
  }
  for (uint32_t r = 0; r < rows; ++r) sums[r] = 2 * sums[r] - (int32_t)all;
}

void tbn_flat_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums) {
  const uint8_t* bits = (const uint8_t*)layer->weights;
  const int16_t* alpha = layer->alphas;
  uint32_t bit = 0;
  for (uint32_t r = 0; r < layer->rows; ++r) {
    int32_t whole = 0, part = 0;
    for (uint32_t k = 0; k < layer->inputs; ++k) {
      part += bits[bit >> 3] >> (bit & 7) & 1 ? x[k] : -x[k];
      if (++bit < layer->tile_bits) continue;
      whole += scaled(part, *alpha);
      alpha += layer->alpha_step;
      part = 0;
      bit = 0;
    }
    /* Also where a slice ended with the row, and `part` is 0: alpha may be past the last then. */
    sums[r] = part == 0 ? whole : whole + scaled(part, *alpha);
  }
}

void tbn_dense_sums(const tbn_layer* layer, const uint8_t* x, int32_t* sums) {
  const int8_t* weights = (const int8_t*)layer->weights;
  for (uint32_t r = 0; r < layer->rows; ++r) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < layer->inputs; ++k) sum += weights[k] * x[k];
    sums[r] = sum;
    weights += layer->inputs;
  }
}

/* ---- from sums to outputs ---------------------------------------------------------------------
 */

/* Where the gain and the bias of a copy's first output lie, and how far those of the next row are.
 */
typedef struct {
  const int16_t *gain, *bias;
  uint32_t gain_step, bias_step;
  int32_t bias_factor;
} scalars;

static scalars scalars_of(const tbn_layer* layer, uint32_t copy) {
  static const int16_t none = 0;
  const uint32_t first = copy * layer->copy_step;
  scalars s = {layer->gains, &none, 0, 0, 1 << layer->bias_shift};
  if (layer->gain_form == TBN_GAIN_PER_COPY) s.gain += copy;
  if (layer->gain_form == TBN_GAIN_PER_OUTPUT) {
    s.gain += first;
    s.gain_step = layer->row_step;
  }
  if (layer->biases != 0) {
    s.bias = layer->biases + first;
    s.bias_step = layer->row_step;
  }
  return s;
}

/* Bytes at y, or logits where these are wanted. Apart, so that sums have no stack of it under them.
 */
static inline void finish_as(const tbn_layer* layer, const int32_t* sums, uint8_t* y,
                             int32_t* logits) {
  const uint32_t row_step = layer->row_step, shift = layer->shift;
  const int32_t zero = layer->zero;
  for (uint32_t copy = 0; copy < layer->copies; ++copy) {
    scalars s = scalars_of(layer, copy);
    uint32_t c = copy * layer->copy_step;
    for (const int32_t *sum = sums, *end = sums + layer->rows; sum != end; ++sum, c += row_step) {
      const int32_t value = scaled(*sum, *s.gain) + *s.bias * s.bias_factor;
      s.gain += s.gain_step;
      s.bias += s.bias_step;
      if (logits != 0) {
        logits[c] = value;
      } else {
        y[c] = to_byte(value, shift, zero);
      }
    }
  }
}

TBN_APART static void finish(const tbn_layer* layer, const int32_t* sums, uint8_t* y) {
  finish_as(layer, sums, y, 0);
}

TBN_APART static void finish_logits(const tbn_layer* layer, const int32_t* sums, int32_t* y) {
  finish_as(layer, sums, 0, y);
}

void tbn_linear(const tbn_layer* layer, const uint8_t* x, uint8_t* y, int32_t* scratch) {
  layer->sums(layer, x, scratch);
  finish(layer, scratch, y);
}

void tbn_linear_logits(const tbn_layer* layer, const uint8_t* x, int32_t* y, int32_t* scratch) {
  layer->sums(layer, x, scratch);
  finish_logits(layer, scratch, y);
}

/* ---- windows ----------------------------------------------------------------------------------
 */

/* The taps of one side that lie inside the input: begin <= tap < end. */
typedef struct {
  int32_t first; /* place of tap 0, maybe before the input */
  int32_t begin, end;
} taps;

static taps taps_at(uint32_t at, uint32_t stride, uint32_t padding, uint32_t kernel,
                    uint32_t size) {
  taps t;
  t.first = (int32_t)(at * stride) - (int32_t)padding;
  t.begin = t.first < 0 ? -t.first : 0;
  t.end = (int32_t)size - t.first;
  if (t.begin > (int32_t)kernel) t.begin = (int32_t)kernel;
  if (t.end > (int32_t)kernel) t.end = (int32_t)kernel;
  if (t.end < t.begin) t.end = t.begin;
  return t;
}

/* The window as its weights count it: row, column, channel. */
static void gather(const tbn_window* w, taps rows, taps columns, const uint8_t* x, uint8_t zero,
                   uint8_t* to) {
  const uint32_t channels = w->channels, row_bytes = w->kernel_w * channels;
  const uint32_t before = (uint32_t)columns.begin * channels;
  const uint32_t inside = (uint32_t)(columns.end - columns.begin) * channels;
  for (int32_t i = 0; i < (int32_t)w->kernel_h; ++i, to += row_bytes) {
    if (i < rows.begin || i >= rows.end) {
      memset(to, zero, row_bytes);
      continue;
    }
    if (inside != row_bytes) memset(to, zero, row_bytes);
    const uint32_t pixel = (uint32_t)(rows.first + i) * w->in_w;
    memcpy(to + before, x + (pixel + (uint32_t)(columns.first + columns.begin)) * channels, inside);
  }
}

/* The same as tiles in flat form count it: channel, row, column. */
static void gather_channels_first(const tbn_window* w, taps rows, taps columns, const uint8_t* x,
                                  uint8_t zero, uint8_t* to) {
  for (uint32_t c = 0; c < w->channels; ++c) {
    for (int32_t i = 0; i < (int32_t)w->kernel_h; ++i) {
      for (int32_t j = 0; j < (int32_t)w->kernel_w; ++j) {
        const int outside =
            i < rows.begin || i >= rows.end || j < columns.begin || j >= columns.end;
        const int32_t pixel = (rows.first + i) * (int32_t)w->in_w + columns.first + j;
        *to++ = outside ? zero : x[(uint32_t)pixel * w->channels + c];
      }
    }
  }
}

/* The window of an output pixel; returns before the sums begin, so that their stack is not on top.
 */
TBN_APART static void gather_at(const tbn_layer* layer, const tbn_window* w, uint32_t row,
                                uint32_t column, const uint8_t* x, uint8_t* window) {
  const taps rows = taps_at(row, w->stride_h, w->padding_h, w->kernel_h, w->in_h);
  const taps columns = taps_at(column, w->stride_w, w->padding_w, w->kernel_w, w->in_w);
  if (layer->channels_first) {
    gather_channels_first(w, rows, columns, x, layer->zero_in, window);
  } else {
    gather(w, rows, columns, x, layer->zero_in, window);
  }
}

/* Bytes at y, or logits where these are wanted. */
static inline void conv2d_as(const tbn_layer* layer, const tbn_window* w, const uint8_t* x,
                             uint8_t* y, int32_t* logits, int32_t* scratch) {
  uint8_t* window = (uint8_t*)(scratch + layer->rows);
  const uint32_t outputs = (uint32_t)layer->rows * layer->copies;
  for (uint32_t row = 0; row < w->out_h; ++row) {
    for (uint32_t column = 0; column < w->out_w; ++column) {
      gather_at(layer, w, row, column, x, window);
      layer->sums(layer, window, scratch);
      if (logits != 0) {
        finish_logits(layer, scratch, logits);
        logits += outputs;
      } else {
        finish(layer, scratch, y);
        y += outputs;
      }
    }
  }
}

void tbn_conv2d(const tbn_layer* layer, const tbn_window* w, const uint8_t* x, uint8_t* y,
                int32_t* scratch) {
  conv2d_as(layer, w, x, y, 0, scratch);
}

void tbn_conv2d_logits(const tbn_layer* layer, const tbn_window* w, const uint8_t* x, int32_t* y,
                       int32_t* scratch) {
  conv2d_as(layer, w, x, 0, y, scratch);
}

/* Byte (i, j) of a window on one channel. */
static int32_t tap_of(const tbn_window* w, taps rows, taps columns, int32_t i, int32_t j,
                      const uint8_t* x, int32_t zero) {
  if (i < rows.begin || i >= rows.end || j < columns.begin || j >= columns.end) return zero;
  const int32_t pixel = (rows.first + i) * (int32_t)w->in_w + columns.first + j;
  return x[(uint32_t)pixel * w->channels];
}

static int32_t depthwise_tile_sum(const tbn_layer* layer, const tbn_window* w, taps rows,
                                  taps columns, const uint8_t* x, uint32_t row) {
  const uint32_t row_bytes = ((uint32_t)layer->inputs + 7) / 8;
  const uint8_t* bits = (const uint8_t*)layer->weights + row * row_bytes;
  uint32_t bit = 0;
  int32_t sum = 0;
  for (int32_t i = 0; i < (int32_t)w->kernel_h; ++i) {
    for (int32_t j = 0; j < (int32_t)w->kernel_w; ++j, ++bit) {
      const int32_t value = tap_of(w, rows, columns, i, j, x, layer->zero_in);
      sum += bits[bit >> 3] >> (bit & 7) & 1 ? value : -value;
    }
  }
  return sum;
}

/* Weight k of the layer is bit k % q of its tile, times the scalar of slice k / q. */
static int32_t depthwise_flat_sum(const tbn_layer* layer, const tbn_window* w, taps rows,
                                  taps columns, const uint8_t* x, uint32_t row) {
  const uint8_t* bits = (const uint8_t*)layer->weights;
  const uint32_t first = row * layer->inputs;
  const int16_t* alpha = layer->alphas + first / layer->tile_bits * layer->alpha_step;
  uint32_t bit = first % layer->tile_bits;
  int32_t whole = 0, part = 0;
  for (int32_t i = 0; i < (int32_t)w->kernel_h; ++i) {
    for (int32_t j = 0; j < (int32_t)w->kernel_w; ++j) {
      const int32_t value = tap_of(w, rows, columns, i, j, x, layer->zero_in);
      part += bits[bit >> 3] >> (bit & 7) & 1 ? value : -value;
      if (++bit < layer->tile_bits) continue;
      whole += scaled(part, *alpha);
      alpha += layer->alpha_step;
      part = 0;
      bit = 0;
    }
  }
  /* As in tbn_flat_sums, alpha may be past the last. */
  return part == 0 ? whole : whole + scaled(part, *alpha);
}

static int32_t depthwise_dense_sum(const tbn_layer* layer, const tbn_window* w, taps rows,
                                   taps columns, const uint8_t* x, uint32_t row) {
  const int8_t* weight = (const int8_t*)layer->weights + row * layer->inputs;
  int32_t sum = 0;
  for (int32_t i = 0; i < (int32_t)w->kernel_h; ++i) {
    for (int32_t j = 0; j < (int32_t)w->kernel_w; ++j) {
      sum += *weight++ * tap_of(w, rows, columns, i, j, x, layer->zero_in);
    }
  }
  return sum;
}

typedef int32_t (*depthwise_sum)(const tbn_layer* layer, const tbn_window* w, taps rows,
                                 taps columns, const uint8_t* x, uint32_t row);

static void depthwise(depthwise_sum sum, const tbn_layer* layer, const tbn_window* w,
                      const uint8_t* x, uint8_t* y) {
  const uint32_t outputs = (uint32_t)layer->rows * layer->copies;
  const uint32_t outputs_per_channel = outputs / w->channels;
  for (uint32_t i = 0; i < w->out_h; ++i) {
    const taps rows = taps_at(i, w->stride_h, w->padding_h, w->kernel_h, w->in_h);
    for (uint32_t j = 0; j < w->out_w; ++j, y += outputs) {
      const taps columns = taps_at(j, w->stride_w, w->padding_w, w->kernel_w, w->in_w);
      for (uint32_t copy = 0; copy < layer->copies; ++copy) {
        scalars s = scalars_of(layer, copy);
        uint32_t c = copy * layer->copy_step;
        for (uint32_t r = 0; r < layer->rows; ++r, c += layer->row_step) {
          const int32_t whole = sum(layer, w, rows, columns, x + c / outputs_per_channel, r);
          const int32_t value = scaled(whole, *s.gain) + *s.bias * s.bias_factor;
          y[c] = to_byte(value, layer->shift, layer->zero);
          s.gain += s.gain_step;
          s.bias += s.bias_step;
        }
      }
    }
  }
}

void tbn_depthwise_tile(const tbn_layer* layer, const tbn_window* w, const uint8_t* x, uint8_t* y) {
  depthwise(depthwise_tile_sum, layer, w, x, y);
}

void tbn_depthwise_flat(const tbn_layer* layer, const tbn_window* w, const uint8_t* x, uint8_t* y) {
  depthwise(depthwise_flat_sum, layer, w, x, y);
}

void tbn_depthwise_dense(const tbn_layer* layer, const tbn_window* w, const uint8_t* x,
                         uint8_t* y) {
  depthwise(depthwise_dense_sum, layer, w, x, y);
}

/* The largest or the sum of a window's inputs in channel c. */
static int32_t pooled(const tbn_window* w, uint32_t i, uint32_t j, const uint8_t* x, int largest) {
  const taps rows = taps_at(i, w->stride_h, w->padding_h, w->kernel_h, w->in_h);
  const taps columns = taps_at(j, w->stride_w, w->padding_w, w->kernel_w, w->in_w);
  int32_t result = 0;
  for (int32_t a = rows.begin; a < rows.end; ++a) {
    const uint32_t pixel = (uint32_t)((rows.first + a) * (int32_t)w->in_w + columns.first);
    for (int32_t b = columns.begin; b < columns.end; ++b) {
      const int32_t value = x[(pixel + (uint32_t)b) * w->channels];
      result = !largest ? result + value : value > result ? value : result;
    }
  }
  return result;
}

void tbn_max_pool(const tbn_window* w, const uint8_t* x, uint8_t* y) {
  for (uint32_t i = 0; i < w->out_h; ++i) {
    for (uint32_t j = 0; j < w->out_w; ++j) {
      for (uint32_t c = 0; c < w->channels; ++c) *y++ = (uint8_t)pooled(w, i, j, x + c, 1);
    }
  }
}

void tbn_mean_pool(const tbn_mean* mean, const tbn_window* w, const uint8_t* x, uint8_t* y) {
  const int32_t zeros = (int32_t)w->kernel_h * w->kernel_w * mean->zero_in;
  for (uint32_t i = 0; i < w->out_h; ++i) {
    for (uint32_t j = 0; j < w->out_w; ++j) {
      for (uint32_t c = 0; c < w->channels; ++c) {
        const int32_t sum = pooled(w, i, j, x + c, 0) - zeros;
        *y++ = to_byte(scaled(sum, mean->gain), mean->shift, mean->zero);
      }
    }
  }
}

/* ---- value by value ---------------------------------------------------------------------------
 */

void tbn_add(const tbn_sum* sum, const uint8_t* a, const uint8_t* b, uint8_t* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t value = (a[i] - sum->zero_a) * sum->gain_a + (b[i] - sum->zero_b) * sum->gain_b;
    y[i] = to_byte(value, sum->shift, sum->zero);
  }
}

void tbn_scale_channels(const tbn_scale* scale, const uint8_t* x, uint8_t* y, uint32_t count) {
  uint32_t c = 0;
  for (uint32_t i = 0; i < count; ++i) {
    int32_t value = scaled(x[i], scale->gains[c]);
    if (scale->biases != 0) value += scale->biases[c] * (1 << scale->bias_shift);
    y[i] = to_byte(value, scale->shift, scale->zero);
    if (++c == scale->channels) c = 0;
  }
}

void tbn_relu(const uint8_t* x, uint8_t* y, uint32_t count, uint8_t zero) {
  for (uint32_t i = 0; i < count; ++i) y[i] = x[i] < zero ? zero : x[i];
}

void tbn_look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

void tbn_channels_first(const uint8_t* x, uint8_t* y, uint32_t pixels, uint32_t channels) {
  for (uint32_t c = 0; c < channels; ++c) {
    for (uint32_t i = 0; i < pixels; ++i) *y++ = x[i * channels + c];
  }
}

int tbn_argmax(const int32_t* logits, int count) {
  int best = 0;
  for (int i = 1; i < count; ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

int tbn_argmax_bytes(const uint8_t* values, int count) {
  int best = 0;
  for (int i = 1; i < count; ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}
