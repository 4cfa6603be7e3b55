// Weights that are no numbers, in each type that weights have.
#include "base/finite.h"

#include <cstring>
#include <limits>

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

std::string refusal(HostTensor tensor) {
  TensorMap tensors;
  tensors.emplace("good", HostTensor(DType::kF32, {3}));
  tensors.emplace("w", std::move(tensor));
  return test::message_of<NonFiniteError>([&] { check_finite(tensors, "a.tbn", "train again"); });
}

// One element of 16 bits after a zero.
HostTensor half(DType dtype, std::uint16_t bits) {
  HostTensor tensor(dtype, {2});
  std::memcpy(tensor.bytes().data() + 2, &bits, sizeof bits);
  return tensor;
}

}  // namespace

TEST_CASE("a tensor that holds a value that is not finite is named with the value") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal(HostTensor::of<float>({2}, std::vector<float>{0, -kInf})) ==
        "a.tbn: tensor 'w' holds -inf; train again");
  CHECK(refusal(HostTensor::of<double>({1}, std::vector<double>{kNan})) ==
        "a.tbn: tensor 'w' holds nan; train again");
  CHECK(refusal(half(DType::kF16, 0x7c00)) == "a.tbn: tensor 'w' holds inf; train again");
  CHECK(refusal(half(DType::kF16, 0xfc00)) == "a.tbn: tensor 'w' holds -inf; train again");
  CHECK(refusal(half(DType::kF16, 0x7c01)) == "a.tbn: tensor 'w' holds nan; train again");
  CHECK(refusal(half(DType::kBF16, 0x7f80)) == "a.tbn: tensor 'w' holds inf; train again");
  CHECK(refusal(half(DType::kBF16, 0xffc0)) == "a.tbn: tensor 'w' holds nan; train again");
}

TEST_CASE("the largest finite values and tensors of integers pass") {
  TensorMap tensors;
  tensors.emplace("f16", half(DType::kF16, 0x7bff));
  tensors.emplace("bf16", half(DType::kBF16, 0x7f7f));
  tensors.emplace(
      "f32", HostTensor::of<float>({1}, std::vector<float>{std::numeric_limits<float>::max()}));
  tensors.emplace("u8", HostTensor::of<std::uint8_t>({1}, std::vector<std::uint8_t>{0xff}));
  CHECK_NOTHROW(check_finite(tensors, "a", "b"));
}
