// Files, folders and the standard input.
#include "predict/input_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/images/jpeg.h"
#include "data/images/picture.h"
#include "file/atomic_write.h"
#include "file/nearby.h"
#include "file/npy.h"
#include "predict/arrays.h"
#include "predict/clouds.h"
#include "predict/pictures.h"
#include "predict/tables.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostTextBytes = std::int64_t{512} << 20;

// Whether a file in a folder is one of the kind's, by the end of its name.
bool is_of_kind(const fs::path& path, std::string_view kind) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (extension == ".npy") return true;
  if (kind == "image") return picture_name(path.string()) != PictureName::kOther;
  if (kind == "series") return extension == ".csv";
  constexpr std::array<std::string_view, 4> kClouds = {".txt", ".xyz", ".pts", ".csv"};
  return kind == "points" && std::ranges::find(kClouds, extension) != kClouds.end();
}

// The files of the kind in a folder and in those below it. `above` are the folders that lead to it,
// as they are without links: one that leads back to one of them is left out.
void add_files(const fs::path& folder, std::string_view kind, std::vector<fs::path>& above,
               std::vector<std::string>& files) {
  std::error_code error;
  const fs::path itself = fs::canonical(folder, error);
  if (!error && std::ranges::find(above, itself) != above.end()) return;
  above.push_back(itself);
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    std::error_code unread;
    if (entry->is_directory(unread)) {
      add_files(entry->path(), kind, above, files);
    } else if (is_of_kind(entry->path(), kind) && entry->is_regular_file(unread)) {
      files.push_back(entry->path().string());
    }
  }
  if (error) throw DataError(fmt::format("'{}': {}", folder.string(), error.message()));
  above.pop_back();
}

std::vector<std::string> files_below(const fs::path& folder, std::string_view kind) {
  std::vector<std::string> files;
  std::vector<fs::path> above;
  add_files(folder, kind, above, files);
  std::ranges::sort(files);
  if (files.empty()) {
    const std::string_view what = kind == "image"    ? "picture"
                                  : kind == "series" ? ".csv file"
                                  : kind == "points" ? "cloud (.txt, .xyz, .pts or .csv)"
                                                     : "array";
    throw DataError(fmt::format("'{}': the folder holds no {}{}", folder.string(), what,
                                kind.empty() ? " (.npy)" : ", and no .npy array"));
  }
  return files;
}

// A file's bytes as the input that they are.
void take_bytes(std::vector<std::uint8_t> bytes, const std::string& name, const NetworkForm& form,
                TakeInput take) {
  const std::string quoted = "'" + name + "'";
  if (is_npy(bytes)) {
    take_array(NpyArray(std::move(bytes), quoted + ": "), name, form, take);
    return;
  }
  const std::string kind = input_kind(form);
  if (kind == "image") {
    take({.name = name, .values = picture_values(bytes, quoted, form)});
  } else if (kind == "points") {
    take(cloud_of_text(bytes, name, form));
  } else if (kind == "series") {
    take(table_of_text({bytes.begin(), bytes.end()}, name, form));
  } else {
    throw ConfigError(fmt::format(
        "{}: the network's file does not say how inputs are made of files; give it an array of {} "
        "as .npy, or export its run again with --rule use",
        quoted, to_string(form.input)));
  }
}

void take_file(const fs::path& path, const NetworkForm& form, TakeInput take) {
  const std::string name = path.string();
  if (is_missing(path)) {
    throw DataError(fmt::format("there is no '{}'{}", name, nearby(path)));
  }
  const std::string first = first_bytes(path, 6);
  const bool npy = is_npy({reinterpret_cast<const std::uint8_t*>(first.data()), first.size()});
  // Tables may be large, and are read line by line.
  if (!npy && input_kind(form) == "series") return take(table_input(path, name, form));
  take_bytes(read_bounded_file(path, npy ? kMaxNpyBytes : kMaxJpegBytes), name, form, take);
}

std::vector<std::uint8_t> standard_input() {
  std::vector<std::uint8_t> bytes;
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  for (;;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kPiece);
    const std::size_t got = std::fread(bytes.data() + before, 1, kPiece, stdin);
    bytes.resize(before + got);
    const std::int64_t most = is_npy(bytes) ? kMaxNpyBytes : kMostTextBytes;
    if (std::ssize(bytes) > most) {
      throw DataError(fmt::format("'-': the standard input is longer than {} bytes", most));
    }
    if (got < kPiece) break;
  }
  if (std::ferror(stdin) != 0) {
    throw DataError(
        fmt::format("'-': the standard input cannot be read: {}", std::strerror(errno)));
  }
  if (bytes.empty()) throw DataError("'-': the standard input is empty");
  return bytes;
}

// What `read` throws is the error of the input `name`.
template <class Read>
void guarded(const std::string& name, TakeInput take, const Read& read) {
  std::string error;
  try {
    return read();
  } catch (const DataError& data) {
    error = data.what();
  } catch (const ConfigError& config) {  // a picture that does not fit the network, for instance
    error = config.what();
  } catch (const SystemError& system) {
    error = system.what();
  }
  if (error.find("'" + name + "'") == std::string::npos) error = "'" + name + "': " + error;
  take({.name = name, .error = std::move(error)});
}

}  // namespace

std::string input_kind(const NetworkForm& form) {
  return form.rule.input ? form.rule.input->kind : std::string();
}

void take_inputs(const std::string& path, const NetworkForm& form, TakeInput take) {
  if (path == "-") {
    guarded(path, take, [&] { take_bytes(standard_input(), path, form, take); });
    return;
  }
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    guarded(path, take, [&] { take_file(path, form, take); });
    return;
  }
  std::vector<std::string> files;
  guarded(path, take, [&] { files = files_below(path, input_kind(form)); });
  for (const std::string& file : files) {
    guarded(file, take, [&] { take_file(file, form, take); });
  }
}

}  // namespace tbn
