// Settings of weights that reach no layer: each of them beside each form that layers may have.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using Settings = std::vector<std::string>;

// Settings of other values than the defaults, and the letters by which kForms calls them.
const std::vector<std::pair<std::string, char>> kTyped = {
    {"weights.p=16", 'p'},
    {"weights.alpha=layer", 't'},
    {"weights.alpha_from=weight", 't'},
    {"weights.latent=full", 't'},
    {"weights.order=repeat", 'o'},
    {"weights.bits=4", 'b'},
    {"weights.min_size=12", 'm'},
    {"weights.small=float", 's'},
    {"init.latents=kaiming_uniform", 't'},
    {"init.latent_scale=0.2", 't'},
    {"init.alphas=both_signs", 't'},
};

struct Form {
  Settings settings;
  std::string idle;  // those of kTyped that do nothing beside it
};
const std::vector<Form> kForms = {
    {{"weights.encoding=tiled"}, "bs"},
    {{"weights.encoding=tiled", "weights.small=uniform", "weights.min_size=9"}, ""},
    {{"weights.encoding=binary"}, "pobms"},  // small layers would be binary as well
    {{"weights.encoding=uniform"}, "tpos"},
    {{"weights.encoding=uniform", "weights.min_size=9"}, "po"},
    {{"weights.encoding=uniform", "weights.min_size=9", "weights.small=tiled"}, ""},
    {{"weights.encoding=float"}, "tpobms"},
    {{"weights.encoding=float", "weights.rules=[{match: a, p: 8}]"}, "bms"},
    {{"weights.encoding=float", "weights.rules=[{match: a, encoding: uniform}]"}, "tpoms"},
    {{"weights.encoding=float", "weights.rules=[{match: a, encoding: binary}]"}, "pobms"},
};

std::string refusal(const Settings& settings) {
  try {
    parse_config("name: a", "t", settings);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

bool says_key(const Settings& settings, const std::string& key) {
  return std::ranges::any_of(settings,
                             [&](const std::string& each) { return each.starts_with(key + "="); });
}

}  // namespace

TEST_CASE("a setting of weights that reaches no layer is refused where it is typed") {
  for (const Form& form : kForms) {
    for (const auto& [typed, letter] : kTyped) {
      const std::string key = typed.substr(0, typed.find('='));
      if (says_key(form.settings, key)) continue;
      INFO(typed << " beside " << form.settings.front() << " and " << form.settings.back());
      Settings settings = form.settings;
      settings.push_back(typed);
      const std::string said = refusal(settings);
      if (form.idle.find(letter) == std::string::npos) {
        CHECK(said == "");
      } else {
        CHECK(said.starts_with("command line: " + key + ": does nothing without "));
        CHECK(said.ends_with("; leave it out"));
      }
    }
  }
}

TEST_CASE("what a setting of weights does nothing without is named") {
  CHECK(refusal({"weights.encoding=float", "weights.p=8"}) ==
        "command line: weights.p: does nothing without layers with tiled weights; leave it out");
  CHECK(refusal({"weights.bits=4"}) ==
        "command line: weights.bits: does nothing without layers with uniform weights; leave it "
        "out");
  CHECK(refusal({"weights.encoding=float", "weights.min_size=8"}) ==
        "command line: weights.min_size: does nothing without weights.encoding other than float; "
        "leave it out");
  CHECK(refusal({"weights.encoding=binary", "weights.min_size=8"}) ==
        "command line: weights.min_size: does nothing without weights.small other than "
        "weights.encoding; leave it out");
  CHECK(refusal({"weights.small=float"}) ==
        "command line: weights.small: does nothing without weights.min_size above 0; leave it out");
  CHECK(refusal({"weights.alpha_from=weight", "init.alphas=both_signs"}) ==
        "command line: init.alphas: does nothing without layers with tiled weights of learned "
        "scalars; leave it out");
}

TEST_CASE("one factor makes binary weights, and may be said of them") {
  CHECK(refusal({"weights.p=1"}) == "");
  CHECK(refusal({"weights.encoding=binary", "weights.p=1"}) == "");
}

TEST_CASE("settings of weights in a file stay beside a form that was typed") {
  const test::TempDir dir;
  test::write_file(dir / "base.yaml", "weights: {p: 8, bits: 4, small: float}\n");
  test::write_file(dir / "own.yaml", "base: base.yaml\nweights: {alpha: layer}\n");
  CHECK(load_config(dir / "own.yaml", {"weights.encoding=float"}).weights.fields.number("p") == 8);
}

}  // namespace tbn
