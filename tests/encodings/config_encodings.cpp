// Every encoding as configurations say it: for all layers, in a rule, and for small layers.
#include "config/load.h"
#include "config/weight_keys.h"
#include "encodings/encoding.h"
#include "support/catch.h"
#include "support/encoding_cases.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using tbn::test::EncodingCase;
using tbn::test::message_of;

namespace {

Config config_of(const std::string& weights) {
  return parse_config("weights: {" + weights + "}", "t.yaml");
}

}  // namespace

TEST_CASE("a configuration says every encoding, and its print says the same") {
  for (const EncodingCase& c : test::encoding_cases()) {
    CAPTURE(c.yaml);
    const Config config = config_of(c.yaml);
    CHECK(weight_policy(config.weights).standard == c.weights);
    const std::string printed = print_config(config);
    CHECK(parse_config(printed, "printed") == config);
    for (const WeightKey& key : weight_keys()) {
      CAPTURE(key.key);
      const bool is_own = key.room == &encoding_of(c.weights);
      if (is_own) CHECK(printed.find("\n  " + std::string(key.key) + ": ") != std::string::npos);
    }
  }
}

TEST_CASE("a rule says every encoding, under every other one") {
  for (const std::string& outer : weight_words()) {
    for (const EncodingCase& c : test::encoding_cases()) {
      CAPTURE(outer, c.yaml);
      const Config config =
          config_of("encoding: " + outer + ", rules: [{match: a, " + c.yaml + "}]");
      CHECK(weight_policy(config.weights).rules[0].encoding == c.weights);
      CHECK(parse_config(print_config(config), "printed") == config);
    }
  }
}

TEST_CASE("layers below min_size take any word, with the settings of all layers") {
  for (const std::string& word : weight_words()) {
    CAPTURE(word);
    const Config config = config_of("p: 2, bits: 6, min_size: 9, small: " + word);
    const WeightEncoding small = weight_policy(config.weights).small;
    CHECK(encoding_of(small).word_of(small) == word);
    CHECK(parse_config(print_config(config), "printed") == config);
    if (word == "uniform") CHECK(small == uniform(6));
    if (word == "tiled") CHECK(small == tiled(2));
  }
}

TEST_CASE("settings of other encodings mean nothing in a rule") {
  CHECK(message_of<ConfigError>([] {
          config_of("rules: [{match: a, encoding: uniform, alpha: layer}]");
        }).find("weights.rules[0].alpha: has no meaning for uniform weights; leave it out") !=
        std::string::npos);
  CHECK(message_of<ConfigError>([] {
          config_of("rules: [{match: a, encoding: tiled, bits: 4}]");
        }).find("weights.rules[0].bits: has no meaning for tiled weights; leave it out") !=
        std::string::npos);
  CHECK(weight_policy(config_of("rules: [{match: a, bits: 4}]").weights).rules[0].encoding ==
        uniform(4));
  CHECK(message_of<ConfigError>([] {
          config_of("encoding: uniform, bits: 9");
        }).find("weights.bits: must be between 2 and 8, is 9") != std::string::npos);
}

TEST_CASE("configurations without integers are printed without their bits") {
  CHECK(print_config(config_of("p: 2")).find("bits") == std::string::npos);
  CHECK(print_config(config_of("small: uniform")).find("\n  bits: 8\n") != std::string::npos);
}
