// The kernels are the columns of columns.h, and the sum of a block's threads.
#include "train/tiled/gpu/kernels.h"

#include "train/tiled/gpu/columns.h"

namespace tbn::gpu {
namespace {

template <class T, int P, int V>
__global__ void __launch_bounds__(kThreads) fan_out_kernel(FanOut work, Geometry geometry) {
  Columns own;
  if (!columns_of(geometry, V, blockIdx.x, blockIdx.y, threadIdx.x, own)) return;
  fan_out_columns<T, P, V>(work, own);
}

template <class T, int V>
__global__ void __launch_bounds__(kThreads) add_affine_kernel(AddAffine work, Geometry geometry) {
  Columns own;
  if (!columns_of(geometry, V, blockIdx.x, blockIdx.y, threadIdx.x, own)) return;
  add_affine_columns<T, V>(work, own);
}

template <int P, int V>
__device__ void write_parts(const Sums<P, V>& sums, const Geometry& geometry, std::int64_t maps,
                            float* sum_g, float* sum_gu) {
  using Block = BlockSums<P, V>;
  __shared__ float all[kThreads * Block::kValues];
  Block::leave(sums, threadIdx.x, all);
  __syncthreads();
  for (int at = threadIdx.x; at < geometry.groups * Block::kValues; at += kThreads) {
    Block::write(all, geometry, maps, blockIdx.x, blockIdx.y, at, sum_g, sum_gu);
  }
}

template <class T, int P, int V>
__global__ void __launch_bounds__(kThreads) fan_in_kernel(FanIn work, Geometry geometry) {
  Columns own;
  Sums<P, V> sums;
  if (columns_of(geometry, V, blockIdx.x, blockIdx.y, threadIdx.x, own)) {
    fan_in_columns<T, P, V>(work, own, sums);
  }
  write_parts<P, V>(sums, geometry, work.shape.maps, work.sum_g, work.sum_gu);
}

template <class T, int V>
__global__ void __launch_bounds__(kThreads) moment_kernel(Moments work, Geometry geometry) {
  Columns own;
  Sums<1, V> sums;
  if (columns_of(geometry, V, blockIdx.x, blockIdx.y, threadIdx.x, own)) {
    moment_columns<T, V>(work, own, sums);
  }
  write_parts<1, V>(sums, geometry, work.shape.maps, work.sum, work.square);
}

template <class Work>
void launch(void (*kernel)(Work, Geometry), const Work& work, int pack, void* stream) {
  const Geometry geometry = geometry_of(work.shape, pack);
  const dim3 blocks(geometry.row_blocks, geometry.column_blocks);
  kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(work, geometry);
}

template <class T>
void fan_out_of(const FanOut& work, void* stream) {
  switch (work.shape.copies) {
    case 1:
      return launch(fan_out_kernel<T, 1, 4>, work, 4, stream);
    case 2:
      return launch(fan_out_kernel<T, 2, 4>, work, 4, stream);
    case 4:
      return launch(fan_out_kernel<T, 4, 4>, work, 4, stream);
    case 8:
      return launch(fan_out_kernel<T, 8, 2>, work, 2, stream);
    default:
      return;
  }
}

template <class T>
void fan_in_of(const FanIn& work, void* stream) {
  switch (work.shape.copies) {
    case 1:
      return launch(fan_in_kernel<T, 1, 4>, work, 4, stream);
    case 2:
      return launch(fan_in_kernel<T, 2, 4>, work, 4, stream);
    case 4:
      return launch(fan_in_kernel<T, 4, 4>, work, 4, stream);
    case 8:
      return launch(fan_in_kernel<T, 8, 2>, work, 2, stream);
    default:
      return;
  }
}

}  // namespace

bool has_kernels(std::int64_t copies, std::int64_t maps) {
  const bool known = copies == 1 || copies == 2 || copies == 4 || copies == 8;
  return known && maps % 4 == 0;
}

std::int64_t sum_parts(const MapShape& shape) {
  return geometry_of(shape, pack_of(shape.copies)).row_blocks;
}

void fan_out(Element element, const FanOut& work, void* stream) {
  element == Element::kFloat ? fan_out_of<float>(work, stream) : fan_out_of<Bfloat16>(work, stream);
}

void fan_in(Element element, const FanIn& work, void* stream) {
  element == Element::kFloat ? fan_in_of<float>(work, stream) : fan_in_of<Bfloat16>(work, stream);
}

void moments(Element element, const Moments& work, void* stream) {
  element == Element::kFloat ? launch(moment_kernel<float, 4>, work, 4, stream)
                             : launch(moment_kernel<Bfloat16, 4>, work, 4, stream);
}

void add_affine(Element element, const AddAffine& work, void* stream) {
  element == Element::kFloat ? launch(add_affine_kernel<float, 4>, work, 4, stream)
                             : launch(add_affine_kernel<Bfloat16, 4>, work, 4, stream);
}

}  // namespace tbn::gpu
