// Checks before anything is computed, so that a mistake costs no time and no file.
#include "app/export/output.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/text.h"
#include "export/c_source.h"
#include "export/c_text.h"
#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

namespace fs = std::filesystem;

std::string lower_extension(const fs::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Extensions that promise another content. A packed file is a safetensors file too, but no
// checkpoint, which those of this name are.
constexpr std::array<std::string_view, 38> kOtherFormats = {
    ".bin",         ".c",       ".cc",        ".ckpt",  ".cpp",     ".csv",  ".engine", ".gguf",
    ".ggml",        ".h",       ".h5",        ".hdf5",  ".hpp",     ".jit",  ".joblib", ".json",
    ".keras",       ".mlmodel", ".mlpackage", ".model", ".msgpack", ".ncnn", ".npy",    ".npz",
    ".onnx",        ".ort",     ".param",     ".pb",    ".pkl",     ".pt",   ".pt2",    ".pth",
    ".safetensors", ".tar",     ".tflite",    ".trt",   ".yaml",    ".zip"};

bool is_c_file(std::string_view extension) {
  return extension == ".c" || extension == ".h" || extension == ".cc" || extension == ".cpp" ||
         extension == ".hpp";
}

bool is_written_by_us(const fs::path& path) { return is_exported_c(first_bytes(path, 512)); }

void check_free(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return;
  if (fs::is_regular_file(path, error) && is_written_by_us(path)) return;
  throw ConfigError("--name: " + in_quotes(path.string()) +
                    " is there and was not written by tbn-export, which does not write over it; "
                    "choose another --name or another folder");
}

void refuse_dash(const fs::path& path) {
  if (path != "-") return;
  throw ConfigError(
      "--output: '-' is not the standard output, which is for text; name a file or folder (./- is "
      "one of that name)");
}

}  // namespace

fs::path packed_output(const CommandLine& line) {
  const fs::path path = line.text("output");
  if (path.empty()) throw ConfigError("which file to write? give it as -o <file.tbn>");
  refuse_dash(path);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw ConfigError("--output: '" + path.string() + "' is a directory; name a file in it");
  }
  const std::string kind = other_kind(path);
  if (!kind.empty()) {
    throw ConfigError("--output: " + in_quotes(path.string()) + " " + kind +
                      ", and a packed file is put in its place whole; name a file");
  }
  // The size of a header in eight bytes, and the header itself.
  const std::string before = first_bytes(path, 9);
  if (!before.empty() && (before.size() < 9 || before.back() != '{')) {
    throw ConfigError("--output: " + in_quotes(path.string()) +
                      " is there and is no packed file, and tbn-export does not write over it; "
                      "choose another name");
  }
  const std::string extension = lower_extension(path);
  if (std::find(kOtherFormats.begin(), kOtherFormats.end(), extension) == kOtherFormats.end()) {
    return path;
  }
  fs::path packed = path;
  packed.replace_extension(".tbn");
  throw ConfigError("--output: " + in_quotes(path.string()) + " is named as another format, and " +
                    "tbn-export writes packed files; name it " + in_quotes(packed.string()) +
                    (is_c_file(extension) ? ", or give --format c -o <folder>" : ""));
}

std::string c_output_name(const CommandLine& line) {
  std::string name = line.text("name");
  const std::string problem = c_name_problem(name);
  if (!problem.empty()) throw ConfigError("--name: " + in_quotes(name) + " " + problem);
  return name;
}

fs::path c_output_folder(const CommandLine& line, const std::string& name) {
  const fs::path folder = line.text("output");
  if (folder.empty()) throw ConfigError("which folder to write to? give it as -o <folder>");
  refuse_dash(folder);
  std::error_code error;
  const std::string kind = other_kind(folder);
  const bool is_folder = fs::is_directory(folder, error);
  if (!is_folder && (!kind.empty() || fs::exists(folder, error))) {
    throw ConfigError("--output: '" + folder.string() + "' " + (kind.empty() ? "is a file" : kind) +
                      "; --format c writes two files into a folder");
  }
  const std::string extension = lower_extension(folder);
  if (!fs::exists(folder, error) && (is_c_file(extension) || extension == ".tbn")) {
    throw ConfigError("--output: " + in_quotes(folder.string()) +
                      " is named as a file, and --format c writes two files into a folder; give "
                      "-o <folder> --name <name>");
  }
  for (const char* ending : {".h", ".c"}) check_free(folder / (name + ending));
  return folder;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (!error) return;
  throw SystemError("cannot create the folder '" + folder.string() + "': " + error.message() +
                    "; name another place with -o");
}

}  // namespace tbn::app
