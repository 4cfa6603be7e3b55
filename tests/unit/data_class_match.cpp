// Classes of data as a network's outputs, by name.
#include "data/class_match.h"

#include "data/images/memory_images.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const OutputRule kNetwork{.kind = "class", .classes = {"blue", "green", "red"}};

std::shared_ptr<const Dataset> images(std::vector<std::string> names) {
  ImageSet set;
  set.channels = set.height = set.width = 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    set.labels.push_back(static_cast<std::int32_t>(i));
    set.pixels.push_back(static_cast<std::uint8_t>(i));
  }
  set.class_names = std::move(names);
  return std::make_shared<MemoryImages>(std::move(set));
}

std::vector<std::int64_t> labels(const Dataset& data) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    std::uint8_t pixel = 0;
    data.read(i, {}, {.bytes = &pixel, .labels = &all.emplace_back()});
    CHECK(pixel == i);
  }
  return all;
}

std::vector<std::int64_t> matched(std::vector<std::string> names, bool by_place = false) {
  const auto data = images(std::move(names));
  const ClassMatch match =
      match_classes(kNetwork, data->spec(), by_place, "f", ", or --match places");
  const auto result = with_classes_of(kNetwork, data, match);
  CHECK(result->spec().classes() == 3);
  CHECK(result->spec().task.output == Shape{3});
  return labels(*result);
}

std::string refused(std::vector<std::string> names, bool by_place = false) {
  return message_of<DataError>([&] { matched(std::move(names), by_place); });
}

}  // namespace

TEST_CASE("classes are matched by name, in any order and where some are missing") {
  CHECK(matched({"blue", "green", "red"}) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(matched({"red", "blue", "green"}) == std::vector<std::int64_t>{2, 0, 1});
  CHECK(matched({"red"}) == std::vector<std::int64_t>{2});
  CHECK(match_classes(kNetwork, images({"red"})->spec(), false, "f").note ==
        "1 of the network's 3 classes is in the data, matched by name");
}

TEST_CASE("a class that the network lacks is refused with its nearest, unless places count") {
  CHECK(refused({"zblue", "green", "red"}) ==
        "f: class 'zblue' of the data is none of the network's 3 (nearest 'blue'); rename its "
        "folder, or --match places");
  CHECK(refused({"zebra"}) ==
        "f: class 'zebra' of the data is none of the network's 3; rename its folder");
  CHECK(matched({"x", "y", "z"}, true) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(says(refused({"x", "y"}, true), {"3 classes", "has 2"}));
}

TEST_CASE("by place it is said which name stands for which") {
  const auto note = [](std::vector<std::string> names) {
    return match_classes(kNetwork, images(std::move(names))->spec(), true, "f").note;
  };
  CHECK(note({"blue", "green", "red"}).empty());
  CHECK(note({"blue", "red", "rot\n"}) ==
        "the data's classes stand for the network's of the same place, and 2 of 3 are called "
        "otherwise: 'red' for 'green', 'rot?' for 'red'");
  OutputRule many{.kind = "class", .classes = {}};
  std::vector<std::string> names;
  for (int i = 0; i < 13; ++i) {
    many.classes.push_back("a" + std::to_string(i));
    names.push_back((i == 0 ? "a" : "b") + std::to_string(i));
  }
  const std::string said = match_classes(many, images(names)->spec(), true, "f").note;
  CHECK(says(said, {"12 of 13", "'b1' for 'a1'", "'b10' for 'a10' and 2 more"}));
  CHECK(said.find("b11") == std::string::npos);
}

TEST_CASE("names on disk are compared where classes are called otherwise") {
  OutputRule network{.kind = "class", .classes = {"tench", "church"}, .folders = {"n1", "n2"}};
  SampleSpec spec = images({"n2", "n1"})->spec();
  CHECK(match_classes(network, spec, false, "f").outputs == std::vector<std::int64_t>{1, 0});
  spec = images({"tench", "church"})->spec();
  spec.class_folders = {"n1", "n2"};
  CHECK(match_classes(network, spec, false, "f").note.empty());
}
