// Runs of sessions on the device, for tests that know nothing of which device that is.
#pragma once

#include <cstdint>
#include <vector>

#include "tbn/cuda.h"

namespace tbn::cuda::test {

// Without timing kernels against each other.
CudaOptions quick(Precision precision);

// A batch's outputs, written over what is not a number.
std::vector<float> run(CudaSession& session, const std::vector<float>& input, std::int64_t batch);

// Uniform in [low, high), of values that every precision holds exactly.
std::vector<float> exact_values(std::int64_t count, std::uint64_t seed, double low = -2,
                                double high = 2);

// The error of a packed model's session against the evaluator in double, of the largest output, for
// a batch of exact values.
double session_error(const Model& packed, Precision precision, std::int64_t batch);
// What it may be for one op.
double allowed_session_error(Precision precision);

}  // namespace tbn::cuda::test
