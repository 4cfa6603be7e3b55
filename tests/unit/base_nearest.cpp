// What a mistyped word was perhaps meant to be.
#include "base/nearest.h"

#include "support/catch.h"

using namespace tbn;

namespace {

const std::vector<std::string> kLayers = {"conv1", "layer1.0.conv1", "layer1.0.conv2",
                                          "classifier"};

}  // namespace

TEST_CASE("a word is near where a quarter of it differs at most, or its case does") {
  const std::vector<std::string> columns = {"HUFL", "load (MW)", "wind", "OT"};
  CHECK(nearest("winf", columns) == "wind");
  CHECK(nearest("lod (MW)", columns) == "load (MW)");
  CHECK(nearest("ot", columns) == "OT");
  CHECK(nearest("Load (mw)", columns) == "load (MW)");
  CHECK(nearest("hufl", columns) == "HUFL");
  CHECK(nearest("rain", columns) == "");
  CHECK(nearest("", columns) == "");
}

TEST_CASE("what has nothing in common is no guess, however short it is") {
  CHECK(nearest("d", {"a", "b"}) == "");
  CHECK(nearest("B", {"a", "b"}) == "b");
  CHECK(nearest("ab", {"xb"}) == "xb");
}

TEST_CASE("a pattern is near a name that it would match if little of it were otherwise") {
  CHECK(nearest_match("convl", kLayers) == "conv1");
  CHECK(nearest_match("layr1.*", kLayers) == "layer1.0.conv1");
  CHECK(nearest_match("layer1.?.conv3", kLayers) == "layer1.0.conv1");
  CHECK(nearest_match("*.Conv2", kLayers) == "layer1.0.conv2");
  CHECK(nearest_match("clasifier", kLayers) == "classifier");
  CHECK(nearest_match("stage*.norm", kLayers) == "");
  CHECK(nearest_match(std::string(200, 'x') + "*", kLayers) == "");
}

TEST_CASE("a guess is said in brackets, and nothing of none") {
  CHECK(did_you_mean("conv1") == " (did you mean 'conv1'?)");
  CHECK(did_you_mean("") == "");
}
