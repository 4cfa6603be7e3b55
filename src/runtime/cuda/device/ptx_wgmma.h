// Products of Hopper's matrix units, wgmma.mma_async: 64 rows of operand A from registers by N
// columns of operand B in shared memory, 16 inputs at once (PTX ISA, "Asynchronous Warpgroup Level
// Matrix Instructions").
//
// Lane 4 g + t of warp w holds of A rows 16 w + g and 16 w + g + 8 as for mma.m16n8k16, and of the
// sums d[i] row 16 w + g + 8 (i / 2 % 2), column 8 (i / 4) + 2 t + i % 2. The unit reads registers
// and shared memory, and writes sums, whenever it likes until wgmma_wait() says that it has.
#pragma once

#include "runtime/cuda/device/ptx_hopper.h"

namespace tbn::cuda {

inline constexpr int kWarpgroup = 128;  // threads

// Operand B, [columns][inputs] in rows of 128 bytes, swizzled by 128 bytes: bits 4..6 of addresses
// are exchanged by bits 7..9. This pattern begins at multiples of 1024, so that the base offset is
// 0, whichever of its rows the matrix begins at. What is encoded are address / 16, the bytes from
// eight rows to the next eight / 16, and which swizzle. Sixteen inputs further is 32 bytes further.
__device__ __forceinline__ std::uint64_t matrix_at(const void* shared) {
  constexpr std::uint64_t kEightRows = 1024, kSwizzle128 = 1;
  return (shared_address(shared) & 0x3ffff) >> 4 | (kEightRows >> 4) << 32 | kSwizzle128 << 62;
}
__device__ __forceinline__ std::uint64_t sixteen_inputs_on(std::uint64_t matrix, int times) {
  return matrix + static_cast<std::uint64_t>(times) * (32 >> 4);
}

}  // namespace tbn::cuda

#ifndef TBN_CUDA_EMULATED
namespace tbn::cuda {

// Before the first product, and after registers that products read were written.
__device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
// Ends a group of products.
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Waits for all groups but the kLeft youngest.
template <int kLeft>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
}
// Keeps the compiler, which does not know when products write their sums, from moving what else is
// done with them over this place.
template <int kCount>
__device__ __forceinline__ void hold_sums(float (&d)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

// d += a b.
template <class T, int kColumns>
__device__ void wgmma(float (&d)[kColumns / 2], const unsigned (&a)[4], std::uint64_t b);

// clang-format off
#define TBN_SUMS_32 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define TBN_SUMS_64 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, " \
  "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63"
#define TBN_SUMS_128 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, " \
  "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, " \
  "%74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, " \
  "%92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, " \
  "%108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, " \
  "%123, %124, %125, %126, %127"

#define TBN_SUM_8(i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
  "+f"(d[i + 6]), "+f"(d[i + 7])
#define TBN_SUM_32(i) TBN_SUM_8(i), TBN_SUM_8(i + 8), TBN_SUM_8(i + 16), TBN_SUM_8(i + 24)
#define TBN_SUM_64(i) TBN_SUM_32(i), TBN_SUM_32(i + 32)
#define TBN_SUM_128(i) TBN_SUM_64(i), TBN_SUM_64(i + 64)

// The operands after the sums: four registers of A, B, and the predicate that keeps the sums; then
// neither is negated, and B is not transposed.
#define TBN_WGMMA(T, type, columns, sums, a0, a1, a2, a3, b0) \
  template <> \
  __device__ __forceinline__ void wgmma<T, columns>(float (&d)[columns / 2], \
                                                    const unsigned (&a)[4], std::uint64_t b) { \
    asm volatile( \
        "{\n" \
        ".reg .pred keep;\n" \
        "setp.eq.u32 keep, 0, 0;\n" \
        "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type "\n" \
        " {" TBN_SUMS_##sums "}, {" a0 ", " a1 ", " a2 ", " a3 "}, " b0 ", keep, 1, 1, 0;\n" \
        "}" \
        : TBN_SUM_##sums(0) \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)); \
  }
#define TBN_WGMMA_OF(T, type) \
  TBN_WGMMA(T, type, 64, 32, "%32", "%33", "%34", "%35", "%36") \
  TBN_WGMMA(T, type, 128, 64, "%64", "%65", "%66", "%67", "%68") \
  TBN_WGMMA(T, type, 256, 128, "%128", "%129", "%130", "%131", "%132")
TBN_WGMMA_OF(__half, "f16")
TBN_WGMMA_OF(__nv_bfloat16, "bf16")

#undef TBN_WGMMA_OF
#undef TBN_WGMMA
#undef TBN_SUM_128
#undef TBN_SUM_64
#undef TBN_SUM_32
#undef TBN_SUM_8
#undef TBN_SUMS_128
#undef TBN_SUMS_64
#undef TBN_SUMS_32
// clang-format on

}  // namespace tbn::cuda
#endif
