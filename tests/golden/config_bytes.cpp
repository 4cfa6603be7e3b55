// The section `weights` of configurations as runs record it, over every way to say how weights are
// stored: checkpoints are resumed by it. The golden file holds one CRC-32C per line.
#include <algorithm>
#include <cstdio>

#include "config/load.h"
#include "file/crc32c.h"
#include "support/golden.h"
#include "tbn/error.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

// From its key to the next one in the first column.
std::string section(const std::string& text) {
  const std::size_t begin = text.find("\nweights:");
  std::size_t end = begin + 1;
  do {
    end = text.find('\n', end + 1);
  } while (end + 1 < text.size() && text[end + 1] == ' ');
  return text.substr(begin, end - begin);
}

// "0a1b2c3d", or the error where the configuration is refused.
std::string printed(const std::string& weights) {
  const std::string yaml = "model: {type: mlp, hidden: [12, 8]}\nweights:\n" + weights;
  try {
    char digits[9];
    const std::string text = section(print_config(parse_config(yaml, "t.yaml")));
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(crc32c(text)));
    return digits;
  } catch (const ConfigError& error) {
    std::string message = error.what();
    std::ranges::replace(message, '\n', ' ');
    return message;
  }
}

std::string flow(const std::string& weights, const std::string& indent) {
  std::string lines = indent + weights;
  for (std::size_t at = 0; (at = lines.find(", ", at)) != std::string::npos;) {
    lines.replace(at, 2, "\n" + indent);
  }
  return lines + "\n";
}

// Every word of every key, "encoding: tiled, p: 4, alpha: tile, ...".
std::vector<std::string> all_fields() {
  std::vector<std::string> all = {"encoding: float",
                                  "encoding: binary",
                                  "encoding: tiled",
                                  "p: 1",
                                  "p: 8",
                                  "encoding: tiled, p: 1",
                                  "encoding: binary, p: 4",
                                  "encoding: float, alpha: layer",
                                  "encoding: ternary",
                                  "encoding: uniform",
                                  "encoding: uniform, bits: 4",
                                  "encoding: uniform, bits: 9",
                                  "encoding: uniform, p: 4",
                                  "encoding: tiled, p: 4, bits: 4",
                                  "bits: 4",
                                  "alpha: row",
                                  "order: random"};
  for (const char* encoding : {"encoding: binary", "p: 3"}) {
    for (const char* alpha : {"tile", "layer", "output"}) {
      for (const char* from : {"learned", "weight", "scores"}) {
        for (const char* latent : {"shared", "full"}) {
          for (const char* order : {"auto", "repeat", "interleave"}) {
            all.push_back(std::string(encoding) + ", alpha: " + alpha + ", alpha_from: " + from +
                          ", latent: " + latent + ", order: " + order);
          }
        }
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("configurations of weights are printed as they always were") {
  std::string text;
  for (const std::string& fields : all_fields()) {
    text += fields + "\n  of all layers: " + printed(flow(fields, "  ")) +
            "\n  of a rule: " + printed("  rules:\n    - match: [fc1]\n" + flow(fields, "      ")) +
            "\n";
    for (const char* small : {"float", "binary"}) {
      text += "  small " + std::string(small) + ": " +
              printed(flow(fields + ", min_size: 90, small: " + small, "  ")) + "\n";
    }
  }
  test::check_golden("bytes_config.txt", text);
}
