// Host tensors, shapes and element types.
#include "tbn/tensor.h"

#include <memory>
#include <utility>

#include "base/shape.h"
#include "base/text.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::says;

TEST_CASE("a dtype has the size and the name of safetensors", "[base]") {
  CHECK(size_of(DType::kBool) == 1);
  CHECK(size_of(DType::kF16) == 2);
  CHECK(size_of(DType::kBF16) == 2);
  CHECK(size_of(DType::kI32) == 4);
  CHECK(size_of(DType::kF64) == 8);
  CHECK(to_string(DType::kBool) == "BOOL");
  CHECK(to_string(DType::kBF16) == "BF16");
  CHECK(to_string(DType::kI64) == "I64");
}

TEST_CASE("element_count multiplies dimensions and refuses what overflows", "[base]") {
  CHECK(element_count({}) == 1);
  CHECK(element_count({64, 3, 3, 3}) == 1728);
  CHECK(element_count({5, 0, 7}) == 0);
  CHECK_THROWS_AS(element_count({2, -1}), InternalError);
  const std::int64_t large = std::int64_t{1} << 62;
  CHECK_THROWS_AS(element_count({large, 2}), InternalError);
  CHECK(checked_element_count({large, 1}) == large);
  CHECK_FALSE(checked_element_count({0, large, large}).has_value());
  CHECK_FALSE(checked_byte_count(DType::kF32, {large}).has_value());
  CHECK(checked_byte_count(DType::kF32, {2, 3}) == 24);
}

TEST_CASE("to_string writes a shape in brackets", "[base]") {
  CHECK(to_string(Shape{}) == "[]");
  CHECK(to_string(Shape{64, 3, 3}) == "[64, 3, 3]");
}

TEST_CASE("a host tensor keeps its values and refuses wrong counts and types", "[base]") {
  const std::vector<float> values = {1.0F, -2.5F, 3.0F, 0.0F, 5.0F, 6.0F};
  HostTensor t = HostTensor::of<float>({2, 3}, values);
  CHECK(t.count() == 6);
  CHECK(t.bytes().size() == 24);
  CHECK(t.values<float>()[1] == -2.5F);
  CHECK(t == HostTensor::of<float>({2, 3}, values));
  CHECK_FALSE(t == HostTensor::of<float>({3, 2}, values));
  CHECK(HostTensor(DType::kI64, {2}).values<std::int64_t>()[1] == 0);
  CHECK_THROWS_AS(t.values<double>(), InternalError);
  CHECK_THROWS_AS(HostTensor::of<float>({7}, values), InternalError);
  const std::string message =
      message_of<InternalError>([] { HostTensor(DType::kF32, {2}, std::vector<std::byte>(7)); });
  CHECK(says(message, {"F32 [2] takes 8 bytes, not 7", "tensor.cpp:"}));
}

TEST_CASE("a borrowed tensor keeps its owner, equals a copy, and copies when it is changed",
          "[base]") {
  auto values = std::make_shared<std::vector<float>>(std::vector<float>{1.0F, 2.0F});
  const float* const at = values->data();
  const std::weak_ptr<std::vector<float>> watched = values;
  const auto bytes = std::as_bytes(std::span(*values));
  HostTensor t = HostTensor::borrow(DType::kF32, {2}, bytes, values);
  values.reset();
  const HostTensor copy = t;
  CHECK(std::as_const(t).values<float>().data() == at);
  CHECK(copy.values<float>().data() == at);
  CHECK(t == HostTensor::of<float>({2}, std::vector<float>{1.0F, 2.0F}));

  t.values<float>()[0] = 5;
  CHECK_FALSE(t.is_borrowed());
  CHECK(t == HostTensor::of<float>({2}, std::vector<float>{5.0F, 2.0F}));
  CHECK(copy.values<float>()[0] == 1);
  CHECK_FALSE(t == copy);
  const HostTensor moved = std::move(t);
  CHECK(moved.values<float>()[0] == 5);
  CHECK_FALSE(watched.expired());
  t = HostTensor(DType::kU8, {1});
  CHECK(t.bytes().size() == 1);
}

TEST_CASE("bytes that do not fit a tensor are not borrowed", "[base]") {
  const auto owner = std::make_shared<std::vector<std::byte>>(16);
  const std::span<const std::byte> bytes = *owner;
  CHECK_THROWS_AS(HostTensor::borrow(DType::kF32, {2}, bytes.first(7), owner), InternalError);
  CHECK_THROWS_AS(HostTensor::borrow(DType::kF32, {1}, bytes.subspan(1, 4), owner), InternalError);
  CHECK_THROWS_AS(HostTensor::borrow(DType::kF32, {1}, bytes.first(4), nullptr), InternalError);
  CHECK(HostTensor::borrow(DType::kU8, {4}, bytes.subspan(1, 4), owner).count() == 4);
}

TEST_CASE("error texts group digits and tame hostile names", "[base]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1234) == "1,234");
  CHECK(grouped(18446744073709551615U) == "18,446,744,073,709,551,615");
  CHECK(in_quotes("a\x1b[31m\xff") == "'a?[31m?'");
  CHECK(in_quotes("r\u00e9d \u96ea\u202e\u009b\xc3") ==
        "'r\u00e9d \u96ea" + std::string(3, '?') + "'");
  std::string snow;
  for (int i = 0; i < 80; ++i) snow += "\u96ea";
  CHECK(in_quotes(snow) == "'" + snow + "'");
  CHECK(in_quotes(snow + "x") == "'" + snow + "...'");
  CHECK(in_quotes(std::string(200, 'x')) == "'" + std::string(80, 'x') + "...'");
}

TEST_CASE("copies of a shared tensor borrow its bytes and keep them alive") {
  HostTensor copy;
  {
    const HostTensor shared =
        HostTensor::shared(HostTensor::of<float>({2}, std::vector<float>{1.5F, -2.0F}));
    copy = shared;
    CHECK(std::as_const(copy).bytes().data() == shared.bytes().data());
  }
  CHECK(copy.is_borrowed());
  CHECK(std::as_const(copy).values<float>()[1] == -2.0F);
}
