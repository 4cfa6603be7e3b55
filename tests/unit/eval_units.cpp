// A forecaster with units computes what the one without does, in other numbers, checked in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/packed.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;
using namespace tbn::test;

namespace {

// The forecasters of the zoo that give the columns that they take.
std::vector<Model> forecasters() {
  std::vector<Model> models;
  for (const ModelSpec& spec : zoo_cases()) {
    if (spec.task.task != Task::kForecasting || spec.task.output.back() != spec.input.back()) {
      continue;
    }
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(2), .rules = {}});
    models.push_back(pack_model(random_trained(std::move(graph), models.size() + 1)));
  }
  return models;
}

// Column c around `offset` deviations.
Units units_at(double offset, std::int64_t columns) {
  Units units;
  for (std::int64_t c = 0; c < columns; ++c) {
    units.deviation.push_back(0.5 + 3 * static_cast<double>(c));
    units.mean.push_back((c % 2 == 0 ? offset : -offset) * units.deviation.back());
  }
  return units;
}

Units units_for(const Model& model, double offset) {
  return units_at(offset, model.graph.input_shape().back());
}

std::vector<float> example(const Model& model) {
  return random_values(element_count(model.graph.input_shape()), 7, -2, 2);
}

std::vector<double> standardised(std::vector<double> values, const Units& units) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % units.mean.size();
    values[i] = (values[i] - units.mean[c]) / units.deviation[c];
  }
  return values;
}

std::vector<double> run(const Model& model, const std::vector<float>& input, Backend backend) {
  const auto network = Network::from(model);
  Session session(network, {.backend = backend});
  std::vector<float> output(static_cast<std::size_t>(element_count(network->output_shape())));
  session.run(input, 1, output);
  return {output.begin(), output.end()};
}

// Windows of noise, standardised.
class Noise final : public Dataset {
 public:
  explicit Noise(const Model& model) {
    spec_.input = model.graph.input_shape();
    spec_.task = {.task = Task::kForecasting, .output = model.graph.output_shape()};
  }
  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return 5; }
  bool read(std::int64_t index, const ReadContext&, SampleOut out) const override {
    const auto seed = static_cast<std::uint64_t>(index + 1);
    std::ranges::copy(random_values(element_count(spec_.input), seed), out.values);
    std::ranges::copy(random_values(spec_.targets(), seed + 100), out.targets);
    return true;
  }

 private:
  SampleSpec spec_;
};

double mse_of(const Model& model) {
  const auto network = Network::from(model);
  Session session(network);
  const auto run_it = [&](std::span<const float> input, std::int64_t batch,
                          std::span<float> output) { session.run(input, batch, output); };
  return evaluate_packed(*network, run_it, Noise(model), 2).result().mse;
}

}  // namespace

TEST_CASE("every forecaster gives with units what it gives without, by formula and by runtimes") {
  REQUIRE(forecasters().size() >= 3);
  for (const Model& plain : forecasters()) {
    for (const double offset : {0.0, 3.0, 1000.0, 16000.0}) {
      INFO(plain.graph.name << ", means at " << offset << " deviations");
      const Units units = units_for(plain, offset);
      Model model = plain;
      add_units(model, units, "test");
      std::vector<float> original = example(plain);
      to_original(original, units);
      std::vector<float> input = original;  // what single precision leaves of the values
      to_standardised(input, units);
      const std::vector<double> expected = naive_eval(plain, input);
      // In double all that is rounded are the numbers in the graph.
      const double rounding = 1e-6 + offset * 1.2e-7;
      CHECK(relative_error(standardised(naive_eval(model, original), units), expected) <
            4 * rounding);
      const std::vector<double> bytes = run(plain, input, Backend::kInt8);
      CHECK(relative_error(standardised(run(model, original, Backend::kInt8), units), bytes) <
            0.05);
      for (const Backend backend : {Backend::kReference, Backend::kExact}) {
        CHECK(relative_error(standardised(run(model, original, backend), units), expected) <
              2e-5 + 8 * rounding);
      }
    }
  }
}

TEST_CASE(
    "units are found again in the graph, through its text, and are taken out without a trace") {
  for (const Model& plain : forecasters()) {
    INFO(plain.graph.name);
    CHECK_FALSE(units_of(plain));
    const Units units = units_for(plain, 3);
    Model model = plain;
    add_units(model, units, "test");
    CHECK(units_of(model) == units);  // halves and multiples of 3, which floats hold
    const Model read = {graph_from_json(to_json(model.graph), "test"), model.tensors};
    CHECK(units_of(read) == units);
    CHECK(message_of<ConfigError>([&] { add_units(model, units, "f"); }).find("already") !=
          std::string::npos);
    remove_units(model);
    CHECK(to_json(model.graph) == to_json(plain.graph));
    CHECK(model.tensors == plain.tensors);
  }
}

TEST_CASE("nodes with other numbers, or in other places, are no units") {
  const Model plain = forecasters().front();
  const auto spoiled = [&](auto spoil) {
    Model model = plain;
    add_units(model, units_for(plain, 3), "test");
    spoil(model);
    return units_of(model).has_value();
  };
  CHECK(spoiled([](Model&) {}));
  CHECK_FALSE(
      spoiled([](Model& m) { m.tensors.at("output_units.scale").values<float>()[0] *= 1.001f; }));
  CHECK_FALSE(spoiled([](Model& m) { m.tensors.at("output_units.bias").values<float>()[1] += 1; }));
  CHECK_FALSE(spoiled([](Model& m) {
    std::get<Affine>(m.graph.node(m.graph.output).op).activation = ActivationKind::kRelu;
  }));
  CHECK_FALSE(spoiled([](Model& m) { m.graph.output = m.graph.node(m.graph.output).inputs[0]; }));
}

TEST_CASE("a packed file with units says so, and its test vectors are in them") {
  Model model = forecasters().front();
  CHECK(make_packed_file(model, {}).features == std::vector<std::string>{"tiled"});
  const Units units = units_for(model, 5000);
  add_units(model, units, "test");
  const HostTensor inputs = example_inputs(model, 3);
  CHECK(std::abs(inputs.values<float>()[0] - units.mean[0]) <= 1.01 * units.deviation[0]);
  const PackedFile file = make_packed_file(model, {}, inputs);
  CHECK(file.features == std::vector<std::string>{"tiled", "units"});

  TempDir dir;
  write_packed(dir / "f.tbn", file);
  const auto network = Network::load(dir / "f.tbn");
  Session session(network);
  const auto exact = [&](auto input, auto batch, auto output) {
    session.run(input, batch, output);
  };
  CHECK(verify_packed(*network, exact).ok());
  // Half a deviation off is far below a thousandth of the value, and must not pass.
  const auto off = [&](std::span<const float> input, std::int64_t batch, std::span<float> output) {
    session.run(input, batch, output);
    output[0] += static_cast<float>(0.5 * units.deviation[0]);
  };
  const VerifyResult result = verify_packed(*network, off);
  CHECK_FALSE(result.ok());
  CHECK(result.largest_difference == Approx(0.5).epsilon(0.01));
}

TEST_CASE("errors are measured in deviations, whoever standardises") {
  for (const Model& plain : forecasters()) {
    INFO(plain.graph.name);
    const double expected = mse_of(plain);
    Model model = plain;
    add_units(model, units_for(plain, 10), "test");
    CHECK(mse_of(model) == Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("units that single precision does not hold are refused with the way out") {
  const Model plain = forecasters().front();
  const auto error = [&](auto spoil) {
    Units units = units_for(plain, 1);
    spoil(units);
    Model model = plain;
    return message_of<ConfigError>([&] { add_units(model, units, "runs/a"); });
  };
  CHECK(says(error([](Units& u) { u.mean[1] = 2e6 * u.deviation[1]; }),
             {"runs/a: column 2 has mean", "would round", "--units standardised"}));
  CHECK(says(error([](Units& u) { u.mean[0] = 1e39; }), {"column 1", "does not hold"}));
  CHECK(says(error([](Units& u) { u.mean[0] = NAN; }), {"column 1"}));
  CHECK(says(error([](Units& u) { u.deviation[2] = 0; }), {"column 3"}));
  CHECK(says(error([](Units& u) { u.deviation[2] = 1e-40; }), {"column 3"}));
  CHECK(says(error([](Units& u) { u.deviation[2] = -1; }), {"column 3"}));
  CHECK(says(error([](Units& u) { u.mean.push_back(0); }), {"no units of"}));
  CHECK(units_at(16384.5, 3).offset() > kNotedOffset);
  CHECK(units_at(16383, 3).offset() < kNotedOffset);

  Model renamed = plain;
  renamed.graph.nodes.back().name = "input_units";
  CHECK_THROWS_AS(add_units(renamed, units_for(plain, 1), "f"), ConfigError);
}
