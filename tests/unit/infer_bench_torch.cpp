// The float twin on a device (here the CPU), which checks its own answer when it is made.
#include "train/bench/infer_bench.h"

#include "config/load.h"
#include "support/catch.h"
#include "tbn/error.h"

using namespace tbn;

TEST_CASE("the float twin runs on a device in both precisions, with norms, sums and strides") {
  const char* precision = GENERATE("fp32", "bf16");
  const char* layout = GENERATE("true", "false");
  const Config config = parse_config(
      std::string("{name: a, data: {name: cifar10}, model: {type: resnet18, width: 0.05}, train: "
                  "{device: cpu, precision: ") +
          precision + ", channels_last: " + layout + "}}",
      "test");
  const Contender rival = device_rival(config, 3);
  CHECK(rival.name.starts_with(std::string("float twin in LibTorch ") + precision));
  CHECK(rival.name.find("CUDA graph") == std::string::npos);
  rival.run();
  rival.run();
}

TEST_CASE("a twin for a device that is not there is refused") {
  Config config = parse_config("{name: a, model: {type: mlp}}", "test");
  config.train.device = "cuda:99";
  CHECK_THROWS_AS(device_rival(config, 1), ConfigError);
}
