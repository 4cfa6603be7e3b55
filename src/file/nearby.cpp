// Looks at a few folders, and at a bounded number of names in one.
#include "file/nearby.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <vector>

#include "base/nearest.h"
#include "base/shown.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr int kMostFolders = 8;           // above this one, and of a path's own
constexpr std::size_t kMostNames = 1000;  // of a folder that are looked at
constexpr std::size_t kNamed = 3;

std::string in_marks(const fs::path& path) { return "'" + shown(path.string()) + "'"; }

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) && !error;
}

// The same path from a folder above, or without its first folders.
std::optional<fs::path> same_elsewhere(const fs::path& missing) {
  fs::path above;
  for (int i = 0; i < kMostFolders; ++i) {
    above /= "..";
    if (is_there(above / missing)) return above / missing;
  }
  fs::path rest = missing.lexically_normal();
  for (int i = 0; i < kMostFolders; ++i) {
    fs::path shorter;
    for (auto part = rest.begin(); part != rest.end(); ++part) {
      if (part != rest.begin()) shorter /= *part;
    }
    if (shorter.empty()) break;
    if (is_there(shorter)) return shorter;
    rest = shorter;
  }
  return std::nullopt;
}

// What was seen of a folder.
struct Seen {
  std::vector<std::string> names;  // sorted, without hidden ones
  bool hides = false;              // hidden names were among those looked at
  bool is_part = false;            // there are more that were not looked at
};

// Nothing where the folder may not be listed, wholly or from some name on.
std::optional<Seen> look_into(const fs::path& folder) {
  Seen seen;
  std::size_t looked = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (looked++ == kMostNames) {
      seen.is_part = true;
      break;
    }
    std::string name = at->path().filename().string();
    if (name.starts_with('.')) {
      seen.hides = true;
    } else {
      seen.names.push_back(std::move(name));
    }
  }
  if (error) return std::nullopt;
  std::ranges::sort(seen.names);
  return seen;
}

// What the last folder that exists on the way to an absolute path holds.
std::string held_on_the_way(const fs::path& missing) {
  fs::path folder;
  std::string lost;
  for (const fs::path& part : missing) {
    if (!is_there(folder / part)) {
      lost = part.string();
      break;
    }
    folder /= part;
  }
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return error ? "" : "; " + in_marks(folder) + " is no folder";
  }
  const std::optional<Seen> seen = look_into(folder);
  if (!seen || (seen->names.empty() && seen->is_part)) return "";
  const std::vector<std::string>& names = seen->names;
  if (names.empty()) {
    return "; " + in_marks(folder) + (seen->hides ? " holds hidden files alone" : " is empty");
  }
  const std::string text = "; " + in_marks(folder) + " holds ";
  if (const std::string near = nearest(lost, names); !near.empty()) {
    return text + in_marks(near) + " (did you mean that?)";
  }
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    list += (i == 0 ? "" : ", ") + in_marks(names[i]);
  }
  if (seen->is_part) {
    list += " and more";
  } else if (names.size() > kNamed) {
    list += " and " + std::to_string(names.size() - kNamed) + " more";
  }
  return text + list;
}

}  // namespace

bool is_missing(const fs::path& path) {
  std::error_code error;
  return !fs::exists(path, error) && !error;
}

std::string nearby(const fs::path& missing) {
  std::error_code error;
  const fs::path here = fs::absolute(missing, error).lexically_normal();
  if (missing.is_absolute()) return held_on_the_way(here);
  const std::string looked = " in " + in_marks(fs::current_path(error));
  if (const auto found = same_elsewhere(missing))
    return looked + "; " + in_marks(*found) + " is there";
  return looked + held_on_the_way(here);
}

}  // namespace tbn
