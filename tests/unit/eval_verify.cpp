// What tbn-eval --verify says of test vectors and answers that are not finite.
#include <cmath>
#include <limits>
#include <string>

#include "eval/packed.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

PackedFile sound_file() {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  return make_packed_file(packed, {}, example_inputs(packed, 2));
}

// Verifies by a session whose first output is `first`; 0: as it is.
VerifyResult verify(const PackedFile& file, float first = 0) {
  const auto network = Network::parse(serialize_packed(file), "m.tbn");
  Session session(network);
  return verify_packed(*network, [&](auto input, auto batch, auto output) {
    session.run(input, batch, output);
    if (first != 0) output[0] = first;
  });
}

}  // namespace

TEST_CASE("test vectors that are not finite are said to be so, by their name and place") {
  CHECK(verify(sound_file()).ok());
  for (const float value : {kNaN, std::numeric_limits<float>::infinity()}) {
    const std::string text = std::isnan(value) ? "nan" : "inf";
    PackedFile file = sound_file();
    file.test_vectors->output.values<float>()[3] = value;
    CHECK(test::message_of<DataError>([&] { verify(file); }) ==
          "the file's test vectors 'verify.output' hold " + text +
              " at place 4, with which nothing compares; export it again");
    file = sound_file();
    file.test_vectors->input.values<float>()[0] = value;
    CHECK(test::says(test::message_of<DataError>([&] { verify(file); }),
                     {"'verify.input' hold " + text + " at place 1,"}));
  }
}

TEST_CASE("a file without test vectors, or with none in them, is told how it gets some") {
  PackedFile none = sound_file();
  none.test_vectors.reset();
  PackedFile empty = sound_file();
  for (HostTensor* tensor : {&empty.test_vectors->input, &empty.test_vectors->output}) {
    Shape shape = tensor->shape();
    shape.front() = 0;
    *tensor = HostTensor(DType::kF32, shape);
  }
  for (const PackedFile* file : {&none, &empty}) {
    CHECK(test::message_of<DataError>([&] { verify(*file); }) ==
          "the file has no test vectors to verify; export its run again, with --verify 1 or more");
  }
}

TEST_CASE("an answer that is not finite where the file has a number is said to be so") {
  CHECK(
      test::message_of<NonFiniteError>([] { verify(sound_file(), kNaN); }) ==
      "for the file's test vectors the network gives nan at place 1, and gave numbers where it was "
      "exported");
  CHECK_FALSE(verify(sound_file(), 1e30f).ok());
}
