// What the instructions differ in. The files of one instruction set include plain headers of this
// folder and nothing of ours or of the standard library with inline functions: the linker might
// take their copy, made with instructions that another processor lacks, for the whole program.
#pragma once

#include <cstdint>

namespace tbn::fast {

enum : std::int64_t {
  kLanes = 16,       // rows of signs per block
  kGroupBlocks = 8,  // blocks that are summed at once, each with its sum in a register
};

// The inputs that an output pixel meets: `segments` runs of `run` values, `pitch` apart (the rows
// of a convolution's window; one segment for a vector). A pixel's first value lies at[i] values
// after a common base.
struct Window {
  std::int64_t segments;
  std::int64_t run;
  std::int64_t pitch;
};
struct Places {
  const std::int64_t* at;
  std::int64_t count;
};

// Rows of signs, prepared for look-ups; see Signs.
struct SignWords {
  const std::uint32_t* words;
  const std::int32_t* offsets;
  std::int64_t patterns;
  std::int64_t words_per_row;
  std::int64_t blocks;
};

// Sums under signs by look-ups in tables of sign patterns.
struct SignOps {
  int bits;               // inputs per pattern
  int patterns_per_word;  // 30 / bits
  std::int64_t table;     // floats, 2^bits

  // The tables of ceil(count / bits) groups of inputs; those past the last are 0.
  void (*build)(const float* x, std::int64_t count, float* tables);
  // sums[i * stride + r] for all blocks of rows; pattern k of pixel i looks into the table at
  // base + places.at[i] + offsets[k].
  void (*add)(const SignWords& weights, const float* base, Places places, float* sums,
              std::int64_t stride);
  int patterns_per_half = 0;  // where not 0: this many begin at bit 0, the others at bit 16
};

// How bytes q stand for values: scale * (q - zero).
struct Quantum {
  float scale;
  std::int32_t zero;
};

// Sums of bytes under signs.
struct ByteOps {
  int rows;           // of a vector: each lane has four bytes of a row
  int vectors;        // the most that are summed at once
  std::uint8_t flip;  // bits of stored bytes that are turned over: 128 where they are signed

  // The least and the largest value, 0 among them; both are not a number where a value is not
  // finite.
  void (*range)(const float* x, std::int64_t count, float* low, float* high);
  void (*quantise)(const float* x, std::int64_t count, Quantum quantum, std::uint8_t* bytes);
  // Bits to the bytes that multiply() takes for +1 and -1: `count` vectors of 4 * rows bits each.
  void (*expand)(const std::uint8_t* bits, std::int64_t count, std::int8_t* bytes);
  // sums[i * stride + r] = scale_i * (sum over k of w[r, k] q_i[k] - zero_i * totals[r]) for
  // `vectors` vectors of rows, w as expand() wrote it, [k / 4][vector][row][4]. The run of the
  // window is a multiple of 4. Pixel i has quanta[i * quantum_step].
  void (*multiply)(const std::int8_t* weights, int vectors, Window window, const std::uint8_t* base,
                   Places places, const std::int32_t* totals, const Quantum* quanta,
                   std::int64_t quantum_step, float* sums, std::int64_t stride);
};

// Sums of bytes under weights that are bytes themselves, -128 to 127.
struct IntegerOps {
  int rows;  // as of ByteOps
  int vectors;
  // As ByteOps::multiply, of inputs that the same processor's ByteOps stored. Of windows of 32,768
  // inputs at most the sums are exact, and become floats in the end.
  void (*multiply)(const std::int8_t* weights, int vectors, Window window, const std::uint8_t* base,
                   Places places, const std::int32_t* totals, const Quantum* quanta,
                   std::int64_t quantum_step, float* sums, std::int64_t stride);
};

// Rows of signs, prepared for look-ups in tables of bytes' sums; see product_byte_tables.cpp.
struct ByteTableWords {
  const std::uint16_t* words;
  const std::int32_t* offsets;
  const std::int32_t* totals;
  std::int64_t patterns;
  std::int64_t blocks;
};

// Sums of bytes under signs by look-ups in tables of 16-bit sums.
struct ByteTableOps {
  int bits;  // inputs per pattern
  int patterns_per_word;
  int rows;            // of a block: a lane of 16 bits each
  int blocks_at_once;  // whose words lie side by side
  std::int64_t table;  // 16-bit sums, 2^bits

  // The tables of ceil(count / bits) groups of bytes.
  void (*build)(const std::uint8_t* bytes, std::int64_t count, std::int16_t* tables);
  // The sums of `blocks` blocks, as ByteOps::multiply gives them.
  void (*add)(const ByteTableWords& weights, const std::int16_t* base, Places places,
              const Quantum* quanta, std::int64_t quantum_step, float* sums, std::int64_t stride);
};

// What happens to the sums of rows: output c = r * row_step + copy * copy_step of a pixel is
// act(gain[c] * sum[r] + bias[c]), or act(... + residual[c]).
struct Finish {
  std::int64_t copies;
  std::int64_t row_step;
  std::int64_t copy_step;
  const float* gain;
  const float* bias;
  int activation;         // an ActivationKind
  const float* residual;  // null, or laid out as the output, and maybe there
};

// Plain loops in float, as wide as the registers are.
struct FloatOps {
  int lanes;    // of a register
  int columns;  // the most that multiply() takes at once: whole registers

  // sums[i * stride + c] = sum over k of x_i[k] weights[k * weight_stride + c], c < columns.
  void (*multiply)(const float* weights, std::int64_t weight_stride, std::int64_t columns,
                   Window window, const float* base, Places places, float* sums,
                   std::int64_t stride);
  // Convolves each channel by itself, `channels` of whole registers: sums[i * channels + c] = sum
  // over taps k of x[i * step + at[k] + c] weights[k * channels + c] for each of `pixels`.
  void (*multiply_channels)(const float* weights, std::int64_t channels, const float* x,
                            std::int64_t step, std::int64_t pixels, Places taps, float* sums);
  // Rows [first, first + rows) of `pixels` pixels; y is the first one's, `y_stride` apart.
  void (*finish)(const Finish& finish, std::int64_t first, std::int64_t rows, const float* sums,
                 std::int64_t stride, std::int64_t pixels, float* y, std::int64_t y_stride);
  // In place.
  void (*activate)(int activation, float* values, std::int64_t count);
  void (*softmax)(float* values, std::int64_t count);  // of whole registers
  // y[j * y_stride + i] = x[i * x_stride + j].
  void (*transpose)(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t x_stride,
                    float* y, std::int64_t y_stride);
  void (*add)(const float* a, const float* b, float* y, std::int64_t count);
  void (*largest)(const float* x, float* y, std::int64_t count);  // y = max(x, y)
  // y = scale * x + bias for runs of `count`, act after it.
  void (*affine)(const float* scale, const float* bias, int activation, const float* x, float* y,
                 std::int64_t count);
  void (*layer_norm)(const float* weight, const float* bias, double eps, const float* x, float* y,
                     std::int64_t count);
};

// A processor's instructions.
struct Isa {
  const char* name;
  const SignOps* signs;  // null: none that beat float products
  const ByteOps* bytes;
  const IntegerOps* integers;
  const FloatOps* floats;
  const ByteTableOps* byte_tables = nullptr;  // null: none that beat sums of bytes
};

extern const SignOps kSignsAvx512, kSignsAvx2;
extern const ByteOps kBytesVnni, kBytesAvx2, kBytesNeonDotprod, kBytesNeon, kBytesPortable;
extern const IntegerOps kIntegersVnni, kIntegersAvx512, kIntegersAvx2, kIntegersNeonDotprod,
    kIntegersNeon, kIntegersPortable;
extern const ByteTableOps kByteTablesAvx512;
extern const FloatOps kFloatsAvx512, kFloatsAvx2, kFloatsNeon, kFloatsPortable;

}  // namespace tbn::fast
