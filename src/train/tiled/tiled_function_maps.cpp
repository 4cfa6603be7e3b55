// Three ways: the loops of tiled_function_cpu where maps are rows of float32, bfloat16 or float64
// on the CPU, the kernels of tiled_function_gpu for most rows on a GPU, and at:: operations
// everywhere else.
#include "train/tiled/tiled_function_maps.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "tbn/error.h"
#include "train/tiled/tiled_function_cpu.h"
#include "train/tiled/tiled_function_gpu.h"

namespace tbn {
namespace {

using torch::Tensor;

// Rows summed in one piece: short enough for float sums, and independent of the number of threads,
// so that results are too.
constexpr std::int64_t kChunkRows = 512;

bool use_loops(const Tensor& u, MapLayout layout) {
  return layout == MapLayout::kRows && u.device().is_cpu() &&
         (u.scalar_type() == torch::kFloat32 || u.scalar_type() == torch::kBFloat16 ||
          u.scalar_type() == torch::kFloat64);
}

// body(T()) with the type of the maps' values.
template <class Body>
auto with_type_of(const Tensor& u, Body body) {
  if (u.scalar_type() == torch::kFloat64) return body(double{});
  if (u.scalar_type() == torch::kBFloat16) return body(Bfloat16{});
  return body(float{});
}

// LibTorch's bfloat16 is ours: 16 bits alike.
template <class T>
const T* data_of(const Tensor& t) {
  if constexpr (std::is_same_v<T, Bfloat16>) {
    return reinterpret_cast<const Bfloat16*>(t.const_data_ptr<at::BFloat16>());
  } else {
    return t.const_data_ptr<T>();
  }
}
template <class T>
T* mutable_data_of(const Tensor& t) {
  if constexpr (std::is_same_v<T, Bfloat16>) {
    return reinterpret_cast<Bfloat16*>(t.mutable_data_ptr<at::BFloat16>());
  } else {
    return t.mutable_data_ptr<T>();
  }
}

std::int64_t map_count(const Tensor& u) { return u.dim() == 4 ? u.size(1) : u.size(-1); }

// A view [outer, p, R, inner]; inner is 1 for rows. `t` must be dense in `layout`.
Tensor as_maps(const Tensor& t, MapLayout layout, std::int64_t p) {
  const std::int64_t channels = map_count(t);
  if (layout == MapLayout::kPlanes) {
    return t.view({t.size(0), p, channels / p, t.size(2) * t.size(3)});
  }
  const Tensor rows = t.dim() == 4 ? t.permute({0, 2, 3, 1}) : t;
  return rows.reshape({t.numel() / channels, p, channels / p, 1});
}

Tensor empty_outputs(const Tensor& u, MapLayout layout, std::int64_t p) {
  std::vector<std::int64_t> sizes = u.sizes().vec();
  sizes[u.dim() == 4 ? 1 : sizes.size() - 1] *= p;
  const bool channels_last = u.dim() == 4 && layout == MapLayout::kRows;
  return at::empty(sizes, u.options(),
                   channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

// The same value for each output: [p, R] -> [p, R, 1].
Tensor per_map(const Tensor& values) { return values.unsqueeze(-1); }

template <class T>
const T* data_or_null(const Tensor& t) {
  return t.defined() ? data_of<T>(t) : nullptr;
}

template <class Body>
void for_chunks(std::int64_t rows, Body body) {
  const std::int64_t chunks = (rows + kChunkRows - 1) / kChunkRows;
  at::parallel_for(0, chunks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) {
      body(c, c * kChunkRows, std::min(rows, (c + 1) * kChunkRows));
    }
  });
}

// Sums of [chunks, ...] over the chunks, in float64.
Tensor add_chunks(const Tensor& partial) {
  return partial.sum(0, false, torch::kFloat64).to(partial.scalar_type());
}

Tensor chunk_sums(const Tensor& u, at::IntArrayRef sizes) {
  const std::int64_t rows = u.numel() / map_count(u);
  std::vector<std::int64_t> shape = {(rows + kChunkRows - 1) / kChunkRows};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return at::empty(shape, u.options().dtype(sum_dtype(u.scalar_type())));
}

template <class T>
void fan_out_loops(const Tensor& u, const Tensor& a, const Tensor& b, const Tensor& residual,
                   bool relu, Tensor& y) {
  const cpu::FanOutForward<T> work{{a.size(0), a.size(1)},
                                   data_of<T>(u),
                                   data_of<cpu::SumOf<T>>(a),
                                   data_or_null<cpu::SumOf<T>>(b),
                                   data_or_null<T>(residual),
                                   mutable_data_of<T>(y),
                                   relu};
  for_chunks(u.numel() / a.size(1), [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    cpu::fan_out_rows(work, begin, end);
  });
}

// Whether `t` alone holds its memory, so that it may be written over.
bool is_sole_owner(const Tensor& t) {
  return t.use_count() == 1 && t.has_storage() && t.storage().use_count() == 1;
}

template <class T>
FanIn fan_in_loops(const Tensor& dy, const ReluMask& mask, const Tensor& u, const Tensor& a,
                   const Tensor& centre, bool keep_g) {
  using S = cpu::SumOf<T>;
  const std::int64_t p = a.size(0), maps = a.size(1);
  FanIn result{at::empty_like(u), {}, {}, {}};
  if (keep_g) result.g = is_sole_owner(dy) ? dy : at::empty_like(dy);
  Tensor sums_g = chunk_sums(u, {p, maps}), sums_gu = chunk_sums(u, {p, maps});
  const cpu::FanOutBackward<T> work{{p, maps},
                                    mask.y.defined()   ? cpu::Mask::kResult
                                    : mask.b.defined() ? cpu::Mask::kRecomputed
                                                       : cpu::Mask::kNone,
                                    data_of<T>(dy),
                                    data_or_null<T>(mask.y),
                                    data_of<T>(u),
                                    data_of<S>(a),
                                    data_or_null<S>(mask.b),
                                    data_of<S>(centre),
                                    mutable_data_of<T>(result.du),
                                    keep_g ? mutable_data_of<T>(result.g) : nullptr};
  S* g = mutable_data_of<S>(sums_g);
  S* gu = mutable_data_of<S>(sums_gu);
  for_chunks(u.numel() / maps, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    cpu::fan_in_rows(work, begin, end, g + chunk * p * maps, gu + chunk * p * maps);
  });
  result.sum_g = add_chunks(sums_g);
  result.sum_gu = add_chunks(sums_gu);
  return result;
}

// Each chunk's mean and squared deviations from it, put together in float64 (Chan, Golub and
// LeVeque 1979): one pass over memory, and no cancellation.
template <class T>
Moments moment_loops(const Tensor& u) {
  const std::int64_t maps = map_count(u), rows = u.numel() / maps;
  Tensor means = chunk_sums(u, {maps}), deviations = chunk_sums(u, {maps});
  auto* mean = mutable_data_of<cpu::SumOf<T>>(means);
  auto* m2 = mutable_data_of<cpu::SumOf<T>>(deviations);
  for_chunks(rows, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    cpu::moment_rows(data_of<T>(u), maps, begin, end, mean + chunk * maps, m2 + chunk * maps);
  });
  Tensor counts = at::full({means.size(0), 1}, kChunkRows, torch::kFloat64);
  counts[-1] = rows - (means.size(0) - 1) * kChunkRows;
  const Tensor wide = means.to(torch::kFloat64);
  const auto n = static_cast<double>(rows);
  const Tensor whole = (wide * counts).sum(0) / n;
  const Tensor spread =
      deviations.sum(0, false, torch::kFloat64) + (counts * (wide - whole).square()).sum(0);
  return {whole.to(means.scalar_type()), (spread / n).to(means.scalar_type())};
}

}  // namespace

MapLayout map_layout(const Tensor& u) {
  return u.dim() != 4 || u.is_contiguous(at::MemoryFormat::ChannelsLast) ? MapLayout::kRows
                                                                         : MapLayout::kPlanes;
}

Tensor in_layout(const Tensor& t, MapLayout layout) {
  const bool channels_last = t.dim() == 4 && layout == MapLayout::kRows;
  return t.contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                    : at::MemoryFormat::Contiguous);
}

torch::ScalarType sum_dtype(torch::ScalarType dtype) {
  return dtype == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
}

Tensor fan_out(const Tensor& u, MapLayout layout, const Tensor& a, const Tensor& b,
               const Tensor& residual, bool relu) {
  RECORD_FUNCTION("tbn::fan_out", c10::ArrayRef<const c10::IValue>());
  const std::int64_t p = a.size(0);
  Tensor y = empty_outputs(u, layout, p);
  if (use_loops(u, layout)) {
    with_type_of(u, [&]<class T>(T) { fan_out_loops<T>(u, a, b, residual, relu, y); });
    return y;
  }
  if (use_kernels(u, layout, p)) {
    fan_out_kernels(u, a, b, residual, relu, y);
    return y;
  }
  Tensor out = as_maps(y, layout, p);
  const Tensor maps = as_maps(u, layout, 1);
  const Tensor scaled = b.defined() ? at::addcmul(per_map(b), maps, per_map(a)) : maps * per_map(a);
  out.copy_(scaled);
  if (residual.defined()) y.add_(residual);
  if (relu) y.relu_();
  return y;
}

bool recomputes_mask(const Tensor& u, MapLayout layout, std::int64_t copies) {
  return use_loops(u, layout) || use_kernels(u, layout, copies);
}

FanIn fan_in(const Tensor& dy, const ReluMask& mask, const Tensor& u, MapLayout layout,
             const Tensor& a, const Tensor& centre, bool keep_g) {
  RECORD_FUNCTION("tbn::fan_in", c10::ArrayRef<const c10::IValue>());
  if (use_loops(u, layout)) {
    return with_type_of(
        u, [&]<class T>(T) { return fan_in_loops<T>(dy, mask, u, a, centre, keep_g); });
  }
  const std::int64_t p = a.size(0);
  if (use_kernels(u, layout, p)) {
    return fan_in_kernels(dy, mask, u, a, centre, keep_g);
  }
  TBN_CHECK(!mask.b.defined(), "this layout keeps its results");
  const Tensor g = mask.y.defined() ? at::threshold_backward(dy, mask.y, 0) : dy;
  const Tensor maps_g = as_maps(in_layout(g, layout), layout, p);
  const Tensor centred = as_maps(u, layout, 1) - per_map(centre);
  constexpr std::array<std::int64_t, 2> kAll = {0, 3};
  const at::IntArrayRef outer_and_inner(kAll);
  FanIn result;
  result.sum_g = maps_g.sum(outer_and_inner, false, a.scalar_type());
  result.sum_gu = (maps_g * centred).sum(outer_and_inner, false, a.scalar_type());
  result.du = at::empty_like(u);
  as_maps(result.du, layout, 1).copy_((maps_g * per_map(a)).sum(1, true));
  if (keep_g) result.g = g;
  return result;
}

Moments map_moments(const Tensor& u, MapLayout layout) {
  RECORD_FUNCTION("tbn::map_moments", c10::ArrayRef<const c10::IValue>());
  if (use_loops(u, layout)) {
    return with_type_of(u, [&]<class T>(T) { return moment_loops<T>(u); });
  }
  if (use_kernels(u, layout, 1)) return moment_kernels(u);
  const Tensor maps = as_maps(u, layout, 1).to(sum_dtype(u.scalar_type()));
  auto [var, mean] = at::var_mean(maps, at::IntArrayRef({0, 1, 3}), at::Scalar(0), false);
  return {mean, var};
}

Tensor signs(const Tensor& s, torch::ScalarType dtype) {
  const bool wide = s.scalar_type() == torch::kFloat64;
  const bool halved = dtype == torch::kBFloat16 && s.scalar_type() == torch::kFloat32;
  if (!s.device().is_cpu() || !s.is_contiguous() || !(wide || s.scalar_type() == torch::kFloat32) ||
      !(halved || dtype == s.scalar_type())) {
    // Two small kernels on a GPU: 1 or 0 in s's type, then what is not above 0 becomes -1.
    Tensor positive = at::empty_like(s);
    at::gt_out(positive, s, 0);
    return at::threshold(positive, 0, -1).to(dtype);
  }
  const Tensor t = at::empty_like(s, s.options().dtype(dtype));
  const auto loop = [&]<class S, class T>(S, T) {
    at::parallel_for(0, s.numel(), 1 << 15, [&](std::int64_t begin, std::int64_t end) {
      cpu::sign_values(data_of<S>(s) + begin, mutable_data_of<T>(t) + begin, end - begin);
    });
  };
  if (wide) {
    loop(double{}, double{});
  } else if (halved) {
    loop(float{}, Bfloat16{});
  } else {
    loop(float{}, float{});
  }
  return t;
}

void add_affine_(Tensor& du, const Tensor& u, MapLayout layout, const Tensor& centre,
                 const Tensor& c0, const Tensor& c1) {
  if (use_kernels(u, layout, 1)) return add_affine_kernels(du, u, centre, c0, c1);
  if (!use_loops(u, layout)) {
    const Tensor centred = as_maps(u, layout, 1) - per_map(centre);
    as_maps(du, layout, 1).add_(at::addcmul(per_map(c0), centred, per_map(c1)));
    return;
  }
  with_type_of(u, [&]<class T>(T) {
    using S = cpu::SumOf<T>;
    for_chunks(u.numel() / c0.numel(), [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      cpu::add_affine_rows(mutable_data_of<T>(du), data_of<T>(u), data_of<S>(centre),
                           data_of<S>(c0), data_of<S>(c1), c0.numel(), begin, end);
    });
  });
}

}  // namespace tbn
