// Barriers, bulk copies and products of matrices of the emulated device.
#include "support/cuda_emulator/ptx_hopper.h"

#include <array>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/cuda_emulator/tensor_map.h"

namespace cuda_emulator::hopper {
namespace {

constexpr int kWarpgroup = 128;

// The eight bytes of a barrier; which bits mean what the PTX ISA leaves open.
struct BarrierState {
  std::int32_t bytes;
  std::uint16_t pending;        // arrivals
  std::uint16_t expected : 15;  // of each phase
  std::uint16_t phase : 1;
};
static_assert(sizeof(BarrierState) == sizeof(Barrier));

struct Copy {
  Barrier* barrier;
  unsigned char* to;
  TensorMap map;
  WindowPlace at;
};

using Group = std::vector<Product>;
struct Thread {
  bool fenced = false;
  Group open;
  std::deque<Group> committed;
};

struct BlockState {
  std::vector<Copy> copies;
  std::vector<Thread> threads = std::vector<Thread>(1024);
};

BlockState& block() {
  std::shared_ptr<void>& state = block_extension();
  if (state == nullptr) state = std::make_shared<BlockState>();
  return *static_cast<BlockState*>(state.get());
}
Thread& thread() { return block().threads[static_cast<std::size_t>(thread_of_block())]; }

unsigned char* shared_begin() { return static_cast<unsigned char*>(shared_memory()); }

BarrierState load(const Barrier* barrier) {
  BarrierState state;
  std::memcpy(&state, barrier, sizeof state);
  return state;
}

void store(Barrier* barrier, BarrierState state) {
  // A phase ends when nothing is pending, and the next one begins.
  if (state.pending == 0 && state.bytes == 0) {
    state.phase = state.phase == 0;
    state.pending = state.expected;
  }
  std::memcpy(barrier, &state, sizeof state);
}

// Where byte `i` of a copied box lies: bits 4..6 of the address are exchanged by bits 7..9.
unsigned swizzled(unsigned address, std::uint32_t swizzle) {
  switch (swizzle) {
    case CU_TENSOR_MAP_SWIZZLE_128B:
      return address ^ (address >> 7 & 7u) << 4;
    case CU_TENSOR_MAP_SWIZZLE_NONE:
      return address;
    default:
      throw std::runtime_error("the emulator knows swizzling by 128 bytes only");
  }
}

// The element at coordinates c, x, y, z of the tensor, null outside.
const unsigned char* element(const TensorMap& map, std::int64_t c, std::int64_t x, std::int64_t y,
                             std::int64_t z) {
  const std::array<std::int64_t, 4> at = {c, x, y, z};
  const unsigned char* address = map.tensor;
  for (std::uint32_t i = 0; i < map.rank; ++i) {
    if (at[i] < 0 || at[i] >= static_cast<std::int64_t>(map.sizes[i])) return nullptr;
    address += at[i] * static_cast<std::int64_t>(i == 0 ? map.element_bytes : map.strides[i - 1]);
  }
  return address;
}

// A row of a box, one after another in shared memory.
void copy_row(const Copy& copy, std::uint32_t row, std::int64_t x, std::int64_t y, std::int64_t z) {
  const TensorMap& map = copy.map;
  const unsigned begin =
      static_cast<unsigned>(copy.to - shared_begin()) + row * map.box[0] * map.element_bytes;
  for (std::uint32_t i = 0; i < map.box[0]; ++i) {
    unsigned char* to = shared_begin() + swizzled(begin + i * map.element_bytes, map.swizzle);
    const unsigned char* from = element(map, copy.at.c + std::int64_t{i}, x, y, z);
    if (from != nullptr) {
      std::memcpy(to, from, map.element_bytes);
    } else {
      std::memset(to, 0, map.element_bytes);
    }
  }
}

// PTX ISA, "Tensors", "im2col mode": the place runs through the box between the corners, w first,
// by the steps; the taps are added to it.
void copy_pixels(const Copy& copy) {
  const TensorMap& map = copy.map;
  std::int64_t w = copy.at.w, h = copy.at.h, n = copy.at.n;
  for (std::uint32_t pixel = 0; pixel < map.box[1]; ++pixel) {
    copy_row(copy, pixel, w + copy.at.tap_w, h + copy.at.tap_h, n);
    w += map.steps[1];
    if (w < static_cast<std::int64_t>(map.sizes[1]) + map.upper[0]) continue;
    w = map.lower[0];
    h += map.steps[2];
    if (h < static_cast<std::int64_t>(map.sizes[2]) + map.upper[1]) continue;
    h = map.lower[1];
    ++n;
  }
}

std::uint32_t bytes_of(const TensorMap& map) { return map.box[0] * map.box[1] * map.element_bytes; }

void perform(const Copy& copy) {
  if (copy.map.kind == TensorMap::kWindows) {
    copy_pixels(copy);
  } else {
    for (std::uint32_t row = 0; row < copy.map.box[1]; ++row) {
      copy_row(copy, row, copy.at.w + std::int64_t{row}, 0, 0);
    }
  }
  BarrierState state = load(copy.barrier);
  state.bytes -= static_cast<std::int32_t>(bytes_of(copy.map));
  store(copy.barrier, state);
}

void perform_copies(const Barrier* barrier) {
  std::vector<Copy> later, now;
  for (const Copy& copy : block().copies) (copy.barrier == barrier ? now : later).push_back(copy);
  block().copies = std::move(later);
  for (const Copy& copy : now) perform(copy);
}

void start(const Copy& copy) {
  constexpr unsigned kSwizzleAlignment = 128;
  if (shared_address(copy.to) % kSwizzleAlignment != 0) {
    throw std::runtime_error("a bulk copy goes to an address that is no multiple of 128");
  }
  std::memset(copy.to, 0xff, bytes_of(copy.map));
  block().copies.push_back(copy);
}

// ---- products

// PTX ISA, "Matrix-descriptor": bits 0..13 address / 16, 32..45 the stride between eight rows / 16,
// 49..51 the base offset, 62..63 the swizzle, of which 1 is that of 128 bytes. For matrices in the
// order of their inputs so swizzled, the leading offset is not used.
struct Matrix {
  unsigned address, stride;
};
Matrix matrix_of(std::uint64_t descriptor) {
  if (descriptor >> 62 != 1 || (descriptor >> 49 & 7u) != 0) {
    throw std::runtime_error("the emulator knows matrices swizzled by 128 bytes only");
  }
  return {static_cast<unsigned>(descriptor & 0x3fff) << 4,
          static_cast<unsigned>(descriptor >> 32 & 0x3fff) << 4};
}

float number(std::uint16_t bits, bool bf16) {
  if (bf16) return __builtin_bit_cast(float, std::uint32_t{bits} << 16);
  return __half2float(__half(__half_raw{bits}));
}

struct Wait {
  Thread* thread;
  int left;
};

void multiply(const Product& shape, const std::array<const Product*, kWarpgroup>& lanes) {
  constexpr int kRows = 64, kInputs = 16;
  static float a[kRows][kInputs], b[kInputs][256];
  // Register r of lane 4 g + t: row g + 8 (r % 2), inputs 2 t + 8 (r / 2) and the next.
  for (int i = 0; i < kWarpgroup; ++i) {
    for (int r = 0; r < 4; ++r) {
      const int row = i / 32 * 16 + i % 32 / 4 + 8 * (r % 2), k = i % 4 * 2 + 8 * (r / 2);
      const unsigned pair = lanes[static_cast<std::size_t>(i)]->a[r];
      a[row][k] = number(static_cast<std::uint16_t>(pair), shape.bf16);
      a[row][k + 1] = number(static_cast<std::uint16_t>(pair >> 16), shape.bf16);
    }
  }
  const Matrix matrix = matrix_of(shape.b);
  for (int n = 0; n < shape.columns; ++n) {
    for (int k = 0; k < kInputs; ++k) {
      const unsigned address = matrix.address + static_cast<unsigned>(n / 8) * matrix.stride +
                               static_cast<unsigned>(n % 8) * 128 + static_cast<unsigned>(k) * 2;
      std::uint16_t bits;
      std::memcpy(&bits, shared_begin() + swizzled(address, CU_TENSOR_MAP_SWIZZLE_128B), 2);
      b[k][n] = number(bits, shape.bf16);
    }
  }
  static float d[kRows][256];
  for (int row = 0; row < kRows; ++row) {
    for (int n = 0; n < shape.columns; ++n) d[row][n] = 0;
    for (int k = 0; k < kInputs; ++k) {
      for (int n = 0; n < shape.columns; ++n) d[row][n] += a[row][k] * b[k][n];
    }
  }
  for (int i = 0; i < kWarpgroup; ++i) {
    float* sums = lanes[static_cast<std::size_t>(i)]->sums;
    for (int j = 0; j < shape.columns / 2; ++j) {
      sums[j] += d[i / 32 * 16 + i % 32 / 4 + j / 2 % 2 * 8][j / 4 * 8 + i % 4 * 2 + j % 2];
    }
  }
}

void finish_groups(int count, void** given) {
  const auto wait_of = [&](int i) { return static_cast<Wait*>(given[i]); };
  const std::size_t groups = wait_of(0)->thread->committed.size();
  for (int i = 1; i < count; ++i) {
    if (wait_of(i)->thread->committed.size() != groups || wait_of(i)->left != wait_of(0)->left) {
      throw std::runtime_error("threads of a warpgroup issued different products");
    }
  }
  for (std::size_t done = static_cast<std::size_t>(wait_of(0)->left); done < groups; ++done) {
    const std::size_t products = wait_of(0)->thread->committed.front().size();
    for (std::size_t p = 0; p < products; ++p) {
      std::array<const Product*, kWarpgroup> lanes{};
      for (int i = 0; i < count; ++i) {
        lanes[static_cast<std::size_t>(i)] = &wait_of(i)->thread->committed.front().at(p);
        if (lanes[static_cast<std::size_t>(i)]->b != lanes[0]->b) {
          throw std::runtime_error("threads of a warpgroup multiply by different matrices");
        }
      }
      multiply(*lanes[0], lanes);
    }
    for (int i = 0; i < count; ++i) wait_of(i)->thread->committed.pop_front();
  }
}

}  // namespace

unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(static_cast<const unsigned char*>(shared) - shared_begin());
}

void barrier_init(Barrier* barrier, unsigned arrivals) {
  BarrierState state{};
  state.pending = static_cast<std::uint16_t>(arrivals);
  state.expected = arrivals & 0x7fffu;
  std::memcpy(barrier, &state, sizeof state);
}

void barrier_arrive_expecting(Barrier* barrier, unsigned bytes) {
  BarrierState state = load(barrier);
  if (state.pending == 0) throw std::runtime_error("a barrier gets more arrivals than it expects");
  state.bytes += static_cast<std::int32_t>(bytes);
  --state.pending;
  store(barrier, state);
}
void barrier_arrive(Barrier* barrier) { barrier_arrive_expecting(barrier, 0); }

void barrier_wait(Barrier* barrier, unsigned parity) {
  wait_until([=] {
    perform_copies(barrier);
    return load(barrier).phase != parity;
  });
}

void copy_box(void* to, const CUtensorMap* map, Barrier* barrier, int x, int y) {
  const TensorMap decoded = decode(*map);
  if (decoded.kind != TensorMap::kTiled) throw std::runtime_error("a box of a map of windows");
  start({barrier, static_cast<unsigned char*>(to), decoded, {x, y, 0, 0, 0, 0}});
}

void copy_windows(void* to, const CUtensorMap* map, Barrier* barrier, const WindowPlace& at) {
  const TensorMap decoded = decode(*map);
  if (decoded.kind != TensorMap::kWindows) throw std::runtime_error("windows of a map of boxes");
  const auto inside = [&](int place, int i) {
    return place >= decoded.lower[i] &&
           place < static_cast<int>(decoded.sizes[i + 1]) + decoded.upper[i];
  };
  if (!inside(at.w, 0) || !inside(at.h, 1) || at.tap_w > 255 || at.tap_h > 255) {
    throw std::runtime_error("a copy of windows begins outside of the map's box");
  }
  start({barrier, static_cast<unsigned char*>(to), decoded, at});
}

void wgmma_fence() { thread().fenced = true; }

void issue(const Product& product) {
  if (!thread().fenced) throw std::runtime_error("a product without a fence before its group");
  thread().open.push_back(product);
}

void wgmma_commit() {
  Thread& self = thread();
  self.committed.push_back(std::move(self.open));
  self.open.clear();
  self.fenced = false;
}

void wait_for_groups(int left) {
  constexpr int kName = 0x7767;
  Wait wait{&thread(), left};
  group_together(kName, kWarpgroup, &wait, finish_groups);
}

}  // namespace cuda_emulator::hopper
