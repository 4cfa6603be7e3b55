// Swapped dimensions: the op, and the two orders of a value.
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/transposition.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

// `each` matrices per example.
DeviceStep transpose_step(const StepContext& context, std::int64_t each, std::int64_t rows,
                          std::int64_t columns) {
  return {.run = [=, precision = context.precision](const Call& call) {
    const Matrices matrices = {call.batch * each, static_cast<int>(rows),
                               static_cast<int>(columns)};
    with_type(precision, [&]<class T>(T*) {
      launch_transpose(static_cast<const T*>(call.inputs[0]), static_cast<T*>(call.output),
                       matrices, Unchanged{}, call.stream);
    });
  }};
}

}  // namespace

DeviceStep make_transpose(const StepContext& context, const Shape& input) {
  const std::int64_t columns = input.back(), rows = input[input.size() - 2];
  const std::int64_t matrix = rows * columns;
  return transpose_step(context, matrix == 0 ? 0 : element_count(input) / matrix, rows, columns);
}

DeviceStep make_reorder(const StepContext& context, const Shape& shape, bool to_last) {
  return to_last ? transpose_step(context, 1, first_of(shape), others_of(shape))
                 : transpose_step(context, 1, others_of(shape), first_of(shape));
}

}  // namespace tbn::cuda
