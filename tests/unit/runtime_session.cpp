// Sessions: batches, threads, sizes, and what is left over from run to run.
#include <atomic>
#include <limits>
#include <thread>

#include "graph/passes/passes.h"
#include "runtime/thread_pool.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr std::int64_t kInputs = 2 * 13 * 9;
constexpr std::int64_t kOutputs = 5;

std::shared_ptr<const Network> odd() {
  return Network::from(pack_model(test::random_trained(test::odd_network(), 1)));
}

std::vector<float> run(Session& session, std::span<const float> input, std::int64_t batch) {
  std::vector<float> output(static_cast<std::size_t>(batch * kOutputs),
                            std::numeric_limits<float>::quiet_NaN());
  session.run(input, batch, output);
  return output;
}

}  // namespace

TEST_CASE("a batch gives what its examples give one by one, on any number of threads") {
  const auto network = odd();
  constexpr std::int64_t batch = 17;
  const std::vector<float> input = test::random_values(batch * kInputs, 3, 0, 255);
  Session one(network);
  std::vector<float> expected;
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto example = std::span(input).subspan(static_cast<std::size_t>(i * kInputs),
                                                  static_cast<std::size_t>(kInputs));
    for (const float v : run(one, example, 1)) expected.push_back(v);
  }
  for (int threads : {1, 2, 3, 8, 32}) {
    Session session(network, {.threads = threads});
    INFO(threads << " threads");
    CHECK(run(session, input, batch) == expected);
    CHECK(run(session, input, batch) == expected);
  }
}

TEST_CASE("a run leaves nothing behind that the next run could see") {
  Session session(odd());
  const std::vector<float> a = test::random_values(kInputs, 1, 0, 255);
  const std::vector<float> poison(static_cast<std::size_t>(kInputs),
                                  std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> first = run(session, a, 1);
  run(session, poison, 1);
  CHECK(run(session, a, 1) == first);
}

TEST_CASE("bytes give what floats of their values give, alone and in batches on threads") {
  const auto network = odd();
  constexpr std::int64_t batch = 7;
  std::vector<std::uint8_t> bytes;
  for (const float v : test::random_values(batch * kInputs, 3, 0, 256)) {
    bytes.push_back(static_cast<std::uint8_t>(v));
  }
  const std::vector<float> floats(bytes.begin(), bytes.end());
  for (const int threads : {1, 3}) {
    Session session(network, {.threads = threads});
    const std::vector<float> expected = run(session, floats, batch);
    std::vector<float> output(expected.size(), std::numeric_limits<float>::quiet_NaN());
    session.run(bytes, batch, output);
    CHECK(output == expected);
  }
  Session session(network);
  std::vector<float> output(5);
  CHECK(test::message_of<ConfigError>([&] { session.run(bytes, 1, output); }) ==
        "input holds 1,638 values, but 1 example of [2, 13, 9] is 1 times 234");
}

namespace {

// Remembers what it is told.
struct Told : RunObserver {
  std::vector<NodeId> nodes;
  double seconds = 0;
  void ran(NodeId node, const char* /*kernel*/, double taken) override {
    nodes.push_back(node);
    seconds += taken;
  }
};

}  // namespace

TEST_CASE("an observer is told of every node in order, for each example, and changes no answer") {
  const auto network = odd();
  const std::vector<float> input = test::random_values(2 * kInputs, 5, 0, 255);
  std::vector<NodeId> nodes;
  for (int example = 0; example < 2; ++example) {
    for (NodeId id = 1; id < std::ssize(network->graph().nodes); ++id) nodes.push_back(id);
    nodes.push_back(network->graph().output);  // copied to the caller
  }
  for (const Backend backend : kBackends) {
    for (const int threads : {1, 3}) {
      Session session(network, {.backend = backend, .threads = threads});
      const std::vector<float> expected = run(session, input, 2);
      std::vector<float> output(expected.size());
      Told told;
      session.run(input, 2, output, &told);
      CHECK(output == expected);
      CHECK(told.nodes == nodes);
      CHECK(told.seconds > 0);
    }
  }
}

TEST_CASE("sessions of one network run at the same time") {
  const auto network = odd();
  const std::vector<float> input = test::random_values(4 * kInputs, 8, 0, 255);
  Session reference(network);
  const std::vector<float> expected = run(reference, input, 4);
  std::atomic<int> equal = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Session session(network);
      equal += run(session, input, 4) == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(equal == 4);
}

TEST_CASE("a session refuses buffers and options that do not fit") {
  const auto network = odd();
  Session session(network);
  std::vector<float> input(static_cast<std::size_t>(kInputs)), output(5);
  const auto error = [&](std::int64_t batch) {
    return test::message_of<ConfigError>([&] { session.run(input, batch, output); });
  };
  CHECK(error(2) == "input holds 234 values, but 2 examples of [2, 13, 9] are 2 times 234");
  CHECK(error(-1) == "batch must be at least 0, is -1");
  output.resize(6);
  CHECK(error(1) == "output holds 6 values, but 1 example of [5] is 1 times 5");
  const std::int64_t wraps = std::int64_t{1} << 62;
  const std::span<const float> nothing;
  CHECK_THROWS_AS(session.run(nothing, wraps, {}), ConfigError);
  session.run(nothing, 0, {});
  CHECK(test::message_of<ConfigError>([&] { Session(network, {.threads = 0}); }) ==
        "threads must be between 1 and 1024, is 0");
}

TEST_CASE("a session can be moved and reports what it needs") {
  Session a(odd());
  Session b = std::move(a);
  CHECK(b.arena_bytes() > 0);
  CHECK(b.network().output_shape() == Shape{kOutputs});
}

TEST_CASE("a thread pool does each task once") {
  for (int workers : {1, 2, 5}) {
    ThreadPool pool(workers);
    for (std::int64_t tasks : {0, 1, 3, 100}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(tasks));
      pool.run(tasks, [&](std::int64_t task, int worker) {
        if (worker >= 0 && worker < workers) ++done[static_cast<std::size_t>(task)];
      });
      for (const auto& count : done) CHECK(count == 1);
    }
  }
}

TEST_CASE("a thread pool carries an exception over and works on") {
  ThreadPool pool(3);
  const auto fail = [](std::int64_t task, int) {
    if (task == 5) throw DataError("task 5");
  };
  CHECK(test::message_of<DataError>([&] { pool.run(50, fail); }) == "task 5");
  std::atomic<int> done = 0;
  pool.run(50, [&](std::int64_t, int) { ++done; });
  CHECK(done == 50);
}
