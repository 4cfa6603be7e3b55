// The work of one thread of the kernels: V neighbouring maps in rows at a fixed distance. Functions
// of plain C++, so that the tests run them on the host.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/bfloat16.h"
#include "train/tiled/gpu/kernels.h"

namespace tbn::gpu {

// V neighbours, read and written at once.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T values[V];
};

template <int V>
struct Floats {
  float values[V] = {};
};

template <int V, class T>
TBN_BOTH Floats<V> load(const void* base, std::int64_t at, const T*) {
  const auto pack = *reinterpret_cast<const Pack<T, V>*>(static_cast<const T*>(base) + at);
  Floats<V> result;
  for (int v = 0; v < V; ++v) result.values[v] = to_float(pack.values[v]);
  return result;
}

template <int V, class T>
TBN_BOTH void store(void* base, std::int64_t at, const Floats<V>& from, const T*) {
  Pack<T, V> pack;
  for (int v = 0; v < V; ++v) from_float(from.values[v], pack.values[v]);
  *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(base) + at) = pack;
}

template <int V>
TBN_BOTH Floats<V> load_or_zero(const float* base, std::int64_t at) {
  return base == nullptr ? Floats<V>{} : load<V>(base, at, static_cast<const float*>(nullptr));
}

// Maps [map, map + V) of rows first, first + stride, ...
struct Columns {
  std::int64_t map;
  std::int64_t first;
  std::int64_t stride;
};

template <class T, int P, int V>
TBN_BOTH void fan_out_columns(const FanOut& w, const Columns& own) {
  const T* kind = nullptr;
  const std::int64_t maps = w.shape.maps;
  Floats<V> a[P], b[P];
  for (int i = 0; i < P; ++i) {
    a[i] = load_or_zero<V>(w.a, i * maps + own.map);
    b[i] = load_or_zero<V>(w.b, i * maps + own.map);
  }
  for (std::int64_t o = own.first; o < w.shape.rows; o += own.stride) {
    const Floats<V> u = load<V>(w.u, o * maps + own.map, kind);
    for (int i = 0; i < P; ++i) {
      const std::int64_t at = (o * P + i) * maps + own.map;
      Floats<V> y = w.residual == nullptr ? Floats<V>{} : load<V>(w.residual, at, kind);
      for (int v = 0; v < V; ++v) {
        y.values[v] += fmaf(a[i].values[v], u.values[v], b[i].values[v]);
        // Not-a-number passes, so that a diverged run is seen.
        if (w.relu && y.values[v] < 0) y.values[v] = 0;
      }
      store(w.y, at, y, kind);
    }
  }
}

template <int P, int V>
struct Sums {
  Floats<V> g[P], gu[P];
};

template <class T, int P, int V>
TBN_BOTH void fan_in_columns(const FanIn& w, const Columns& own, Sums<P, V>& sums) {
  const T* kind = nullptr;
  const std::int64_t maps = w.shape.maps;
  const Floats<V> centre = load_or_zero<V>(w.centre, own.map);
  Floats<V> a[P], b[P];
  for (int i = 0; i < P; ++i) {
    a[i] = load_or_zero<V>(w.a, i * maps + own.map);
    b[i] = load_or_zero<V>(w.b, i * maps + own.map);
  }
  const bool recompute = w.y == nullptr && w.b != nullptr;
  for (std::int64_t o = own.first; o < w.shape.rows; o += own.stride) {
    const Floats<V> u = load<V>(w.u, o * maps + own.map, kind);
    Floats<V> du;
    for (int i = 0; i < P; ++i) {
      const std::int64_t at = (o * P + i) * maps + own.map;
      Floats<V> g = load<V>(w.dy, at, kind);
      const Floats<V> y = w.y == nullptr ? Floats<V>{} : load<V>(w.y, at, kind);
      for (int v = 0; v < V; ++v) {
        const float before =
            recompute ? fmaf(a[i].values[v], u.values[v], b[i].values[v]) : y.values[v];
        if ((recompute || w.y != nullptr) && before <= 0) g.values[v] = 0;
        du.values[v] += a[i].values[v] * g.values[v];
        sums.g[i].values[v] += g.values[v];
        sums.gu[i].values[v] += g.values[v] * (u.values[v] - centre.values[v]);
      }
      if (w.g_out != nullptr) store(w.g_out, at, g, kind);
    }
    store(w.du, o * maps + own.map, du, kind);
  }
}

// g: sums of u - shift, gu: of its square.
template <class T, int V>
TBN_BOTH void moment_columns(const Moments& w, const Columns& own, Sums<1, V>& sums) {
  const T* kind = nullptr;
  const Floats<V> shift = load<V>(w.u, own.map, kind);
  for (std::int64_t o = own.first; o < w.shape.rows; o += own.stride) {
    const Floats<V> u = load<V>(w.u, o * w.shape.maps + own.map, kind);
    for (int v = 0; v < V; ++v) {
      const float d = u.values[v] - shift.values[v];
      sums.g[0].values[v] += d;
      sums.gu[0].values[v] += d * d;
    }
  }
}

template <class T, int V>
TBN_BOTH void add_affine_columns(const AddAffine& w, const Columns& own) {
  const T* kind = nullptr;
  const Floats<V> centre = load_or_zero<V>(w.centre, own.map);
  const Floats<V> c0 = load_or_zero<V>(w.c0, own.map), c1 = load_or_zero<V>(w.c1, own.map);
  for (std::int64_t o = own.first; o < w.shape.rows; o += own.stride) {
    const std::int64_t at = o * w.shape.maps + own.map;
    const Floats<V> u = load<V>(w.u, at, kind);
    Floats<V> du = load<V>(w.du, at, kind);
    for (int v = 0; v < V; ++v) {
      du.values[v] += fmaf(c1.values[v], u.values[v] - centre.values[v], c0.values[v]);
    }
    store(w.du, at, du, kind);
  }
}

// How the maps and rows are divided among threads: `groups` neighbouring threads hold the maps of
// one row, and a block works on as many rows at once as it has room for.
inline constexpr int kThreads = 256;
inline constexpr std::int64_t kMostBlocks = 1024;  // some for each multiprocessor, and few parts

inline constexpr int pack_of(std::int64_t copies) { return copies == 8 ? 2 : 4; }

struct Geometry {
  int groups;               // of V maps, in a block
  int lanes;                // rows that a block has at once
  int column_blocks;        // blocks beside one another for more maps than fit one
  int row_blocks;           // and below one another
  std::int64_t all_groups;  // of V maps, in a row
};

inline Geometry geometry_of(const MapShape& shape, int pack) {
  Geometry g{};
  g.all_groups = shape.maps / pack;
  g.groups = static_cast<int>(std::min<std::int64_t>(g.all_groups, kThreads));
  g.lanes = kThreads / g.groups;
  g.column_blocks = static_cast<int>((g.all_groups + g.groups - 1) / g.groups);
  const std::int64_t most = std::max<std::int64_t>(1, kMostBlocks / g.column_blocks);
  g.row_blocks =
      static_cast<int>(std::clamp<std::int64_t>((shape.rows + g.lanes - 1) / g.lanes, 1, most));
  return g;
}

// The columns of a thread; false where it has none.
TBN_BOTH bool columns_of(const Geometry& g, int pack, int row_block, int column_block, int thread,
                         Columns& own) {
  const std::int64_t group = static_cast<std::int64_t>(column_block) * g.groups + thread % g.groups;
  const int lane = thread / g.groups;
  own = {group * pack, static_cast<std::int64_t>(row_block) * g.lanes + lane,
         static_cast<std::int64_t>(g.row_blocks) * g.lanes};
  return lane < g.lanes && group < g.all_groups;
}

// The sums of a block's threads lie side by side, kValues each; those of the lanes of a group are
// added in their order.
template <int P, int V>
struct BlockSums {
  static constexpr int kValues = 2 * P * V;

  // What a thread leaves; one without columns leaves zeros.
  TBN_BOTH static void leave(const Sums<P, V>& sums, int thread, float* all) {
    for (int i = 0; i < P; ++i) {
      for (int v = 0; v < V; ++v) {
        all[thread * kValues + i * V + v] = sums.g[i].values[v];
        all[thread * kValues + (P + i) * V + v] = sums.gu[i].values[v];
      }
    }
  }

  // Value `at` of 0 .. groups kValues - 1 into the block's part.
  TBN_BOTH static void write(const float* all, const Geometry& g, std::int64_t maps, int row_block,
                             int column_block, int at, float* sum_g, float* sum_gu) {
    const int group = at / kValues, value = at % kValues;
    const std::int64_t map =
        (static_cast<std::int64_t>(column_block) * g.groups + group) * V + value % V;
    if (map >= maps) return;
    float sum = 0;
    for (int lane = 0; lane < g.lanes; ++lane) {
      sum += all[(lane * g.groups + group) * kValues + value];
    }
    float* parts = value < P * V ? sum_g : sum_gu;
    parts[(static_cast<std::int64_t>(row_block) * P + value / V % P) * maps + map] = sum;
  }
};

}  // namespace tbn::gpu
