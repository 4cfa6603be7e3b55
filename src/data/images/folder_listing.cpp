// Lists folders in the order of their names, which the file system does not promise, and reads the
// table of Tiny-ImageNet's validation labels.
#include "data/images/folder_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "data/images/picture.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTable = "val_annotations.txt";
constexpr std::string_view kImages = "images";
constexpr std::int64_t kMaxTableBytes = std::int64_t{64} << 20;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// The entries of a folder, sorted, without those that start with a dot.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::string name = entry.path().filename().string();
      if (!name.starts_with('.')) names.push_back(std::move(name));
    }
  } catch (const fs::filesystem_error& error) {
    throw SystemError(quoted(folder) + ": cannot be listed: " + error.code().message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The images directly in `below`, a folder of the split.
std::vector<std::string> images_in(const fs::path& split, const std::string& below,
                                   OnError on_error, ImageListing& listing) {
  std::vector<std::string> images;
  for (auto& name : names_in(split / below)) {
    const PictureName kind = picture_name(name);
    const bool skips = on_error == OnError::kSkip;
    if (kind == PictureName::kRead || (skips && kind == PictureName::kUnread)) {
      images.push_back(std::move(name));
    } else if (skips) {
      ++listing.ignored;
      if (listing.ignored_names.size() < SkipReport::kNamed) {
        listing.ignored_names.push_back(in_quotes(below + "/" + name));
      }
    } else {
      throw DataError(fmt::format(
          "{}: is no .jpg, .jpeg or .png file, which is all that a class folder may hold; remove "
          "it, or set data.on_error to skip",
          quoted(split / below / name)));
    }
  }
  if (images.empty()) {
    throw DataError(quoted(split / below) + ": holds no .jpg, .jpeg or .png file");
  }
  return images;
}

// Names that one sorted list has and the other lacks.
std::vector<std::string> missing_in(const std::vector<std::string>& have,
                                    const std::vector<std::string>& other) {
  std::vector<std::string> missing;
  std::set_difference(have.begin(), have.end(), other.begin(), other.end(),
                      std::back_inserter(missing));
  return missing;
}

// "'cow', 'dog' and 7 more in '.../val' alone"
std::string alone_text(const std::vector<std::string>& names, const fs::path& in) {
  constexpr std::size_t kNamed = 3;
  const std::size_t shown = std::min(names.size(), kNamed);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + in_quotes(names[i]);
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text + " in " + quoted(in) + " alone";
}

void check_classes(const fs::path& split, const std::vector<std::string>& classes,
                   const fs::path& reference) {
  const auto found = class_folders(split);
  const auto only_here = missing_in(found, classes);
  const auto only_there = missing_in(classes, found);
  if (only_here.empty() && only_there.empty()) return;
  std::string text;
  if (!only_here.empty()) text = alone_text(only_here, split);
  if (!only_there.empty()) {
    text += (text.empty() ? "" : ", ") + alone_text(only_there, reference);
  }
  throw DataError(
      fmt::format("{}: its class folders are not those of {}: {}; both must have the "
                  "same ones: {}",
                  quoted(split), quoted(reference), text,
                  only_here.size() == only_there.size()
                      ? "rename them in one of the two"
                      : "add what is missing, or take away what is too much"));
}

// file<TAB>class, then what is not used; one line per image.
std::unordered_map<std::string, std::int32_t> read_table(const fs::path& path,
                                                         const std::vector<std::string>& classes) {
  const auto bytes = read_bounded_file(path, kMaxTableBytes);
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::unordered_map<std::string, std::int32_t> labels;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
    const auto fail = [&](const std::string& what) {
      throw DataError(fmt::format("{} line {}: {}", quoted(path), line, what));
    };
    const auto tab = text.find('\t');
    if (tab == std::string_view::npos) fail("has no tab between an image and its class");
    const std::string file(text.substr(0, tab));
    const std::string name(text.substr(tab + 1, text.find_first_of("\t\r", tab + 1) - tab - 1));
    const auto found = std::lower_bound(classes.begin(), classes.end(), name);
    if (found == classes.end() || *found != name) {
      fail(fmt::format("there is no class '{}' among the {} training folders", name,
                       classes.size()));
    }
    const auto label = static_cast<std::int32_t>(found - classes.begin());
    if (!labels.emplace(file, label).second) fail("image '" + file + "' appears a second time");
  }
  return labels;
}

ImageListing list_table(const fs::path& split, const std::vector<std::string>& classes,
                        OnError on_error) {
  const fs::path table = split / kTable;
  auto labels = read_table(table, classes);
  ImageListing listing;
  for (const auto& name : images_in(split, std::string(kImages), on_error, listing)) {
    const auto found = labels.find(name);
    if (found == labels.end()) {
      throw DataError(
          fmt::format("{}: has no line in {}", quoted(split / kImages / name), quoted(table)));
    }
    listing.files.push_back({fmt::format("{}/{}", kImages, name), found->second});
    labels.erase(found);
  }
  if (!labels.empty()) {
    const auto& lost = *std::min_element(labels.begin(), labels.end());
    throw DataError(fmt::format("{}: image '{}' is not in {}", quoted(table), lost.first,
                                quoted(split / kImages)));
  }
  return listing;
}

// A class's name goes into checkpoints, packed files and C: better refused now than after training.
void check_class_name(const fs::path& split, const std::string& name) {
  const auto refuse = [&](const std::string& what, std::size_t at) {
    throw DataError(fmt::format(
        "{}: the class folder {} {} at byte {} of its name, and a class is named in UTF-8 without "
        "control characters; rename the folder",
        quoted(split), in_quotes(name), what, at + 1));
  };
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t length = utf8_sequence(std::string_view(name).substr(at, 4));
    if (length == 0) refuse("is no valid UTF-8", at);
    const auto byte = static_cast<unsigned char>(name[at]);
    const bool control = byte < 0x20 || byte == 0x7f ||
                         (byte == 0xc2 && static_cast<unsigned char>(name[at + 1]) < 0xa0);
    if (control) refuse("has a control character", at);
    at += length;
  }
}

}  // namespace

std::vector<std::string> class_folders(const fs::path& split) {
  auto names = names_in(split);
  std::erase_if(names, [&](const std::string& name) { return !is_folder(split / name); });
  if (names.empty()) {
    throw DataError(quoted(split) +
                    ": holds no class folders; the images of each class must lie in a folder of "
                    "their own");
  }
  for (const std::string& name : names) check_class_name(split, name);
  return names;
}

ImageListing list_images(const fs::path& split, const std::vector<std::string>& classes,
                         const fs::path& reference, OnError on_error) {
  std::error_code error;
  if (fs::exists(split / kTable, error)) return list_table(split, classes, on_error);
  check_classes(split, classes, reference);
  ImageListing listing;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    std::string below = classes[label];
    if (is_folder(split / below / kImages)) below += fmt::format("/{}", kImages);
    for (const auto& name : images_in(split, below, on_error, listing)) {
      listing.files.push_back({below + "/" + name, static_cast<std::int32_t>(label)});
    }
  }
  return listing;
}

}  // namespace tbn
