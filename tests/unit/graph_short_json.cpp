// The short form of a graph's JSON: round trips, what it leaves out, and what a reader refuses.
#include "graph/short_json.h"

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/policy.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

const std::string kInput = R"({"name":"input","op":"input","shape":[4]})";

std::string refused(const std::string& text) {
  return message_of<DataError>([&] { graph_from_json(text, "f.tbn"); });
}

std::string with_common(const std::string& common, const std::string& nodes = kInput) {
  return R"({"common":[)" + common + R"(],"name":"n","nodes":[)" + nodes + "]}";
}

void check_round_trip(const Graph& graph) {
  const std::string text = to_short_json(graph);
  const Graph back = graph_from_json(text, "file");
  CHECK(back == graph);
  CHECK(to_short_json(back) == text);
  CHECK(text.size() < to_json(graph).size());
}

}  // namespace

TEST_CASE("every graph survives the way to short JSON and back, and gives the same bytes") {
  for (const ModelSpec& spec : test::zoo_cases()) {
    CAPTURE(spec.type);
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(4), .min_size = 500, .rules = {}});
    check_round_trip(graph);
    check_round_trip(pack_model(test::random_trained(std::move(graph), 1)).graph);
  }
  check_round_trip(test::odd_network());
}

TEST_CASE("every op of a packed network survives the way to short JSON") {
  for (const test::OpCase& each : test::op_cases()) {
    CAPTURE(each.what);
    const Graph graph = test::packed_case(each).graph;
    CHECK(graph_from_json(to_short_json(graph), "file") == graph);
  }
}

TEST_CASE("what the nodes of an op share is said once, and a default that is not shared is said") {
  // The example of docs/format.md.
  GraphBuilder b("net");
  const Value x = b.input({8, 6, 6}).conv(8, {.kernel = 3});
  const Value y = x.conv(8, {.kernel = 3}) + x;
  CHECK(to_short_json(b.finish(y.conv(8, {.kernel = 3}).conv(8))) ==
        R"({"common":[{"kernel":[3,3],"op":"conv2d","out_channels":8,"padding":[1,1]}],)"
        R"("name":"net","nodes":[{"name":"input","op":"input","shape":[8,6,6]},)"
        R"({"name":"conv1","op":"conv2d"},{"name":"conv2","op":"conv2d"},)"
        R"({"inputs":[2,1],"name":"add1","op":"add"},{"name":"conv3","op":"conv2d"},)"
        R"({"kernel":[1,1],"name":"conv4","op":"conv2d","padding":[0,0]}]})");
}

TEST_CASE("inputs and the output are said where they are not the node before and the last") {
  GraphBuilder b("net");
  const Value x = b.input({4});
  const Value y = x.relu();
  b.add(Flatten{}, {y});
  CHECK(to_short_json(b.finish(x + y)).find(R"("inputs":[0,1])") != std::string::npos);
  const Graph graph = graph_from_json(
      with_common("", kInput + R"(,{"name":"a","op":"flatten"},{"name":"b","op":"flatten"})"), "f");
  CHECK(graph.node(2).inputs == std::vector<NodeId>{1});
  CHECK(graph.output == 2);
  Graph other = graph;
  other.output = 1;
  CHECK(to_short_json(other).ends_with(R"("output":1})"));
}

TEST_CASE("what is common may hold no list, no name, no unknown word and no op twice") {
  CHECK(refused(with_common(R"({"op":"reshape","shape":[4]})")) ==
        "f.tbn: the graph: 'common' holds a list for 'reshape', which nodes do not share");
  CHECK(refused(with_common(R"({"op":"add","inputs":[0]})")) ==
        "f.tbn: the graph: 'common' says the name or the inputs of 'add'");
  CHECK(refused(with_common(R"({"op":"add"},{"op":"add"})")) ==
        "f.tbn: the graph: 'common' names 'add' twice");
  CHECK(refused(with_common(R"({"op":"warp"})")) ==
        "f.tbn: the graph: its op is unknown to this version of tbn; it may come from a newer one");
  CHECK(refused(with_common(R"({"op":"add","colour":1})")) ==
        "f.tbn: the graph: it has an attribute that its op does not know");
  CHECK_FALSE(refused(with_common("7")).empty());
  CHECK_FALSE(refused(R"({"common":{},"name":"n","nodes":[]})").empty());
  CHECK(refused(with_common("", "")) == "f.tbn: the graph: the graph has no nodes");
}

TEST_CASE("a graph in full may leave nothing out that the short form may") {
  const std::string chain = R"("name":"n","nodes":[)" + kInput + R"(,{"name":"a","op":"flatten"}])";
  CHECK(refused("{" + chain + R"(,"output":1})").find("f.tbn: node 1 of the graph: ") == 0);
  CHECK(refused(R"({"name":"n","nodes":[)" + kInput + "]}").find("f.tbn: the graph: ") == 0);
  CHECK(graph_from_json(R"({"common":[],)" + chain + "}", "f.tbn").nodes.size() == 2);
}
