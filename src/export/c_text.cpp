// Numbers and names as C has them.
#include "export/c_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>

namespace tbn {

std::string c_number(std::int64_t value) { return std::to_string(value); }

std::string c_float(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string c_comment(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    text += plain ? c : '_';
  }
  return text;
}

std::string c_macro(std::string_view name) {
  std::string text;
  for (const char c : name) {
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

bool is_c_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && name.size() <= 40 &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), allowed);
}

namespace {

// The keywords of C and of C++, since the header serves both.
constexpr std::string_view kKeywords[] = {
    "alignas",  "alignof", "and",     "asm",       "auto",     "bool",     "break",     "case",
    "catch",    "char",    "class",   "complex",   "concept",  "const",    "continue",  "default",
    "delete",   "do",      "double",  "else",      "enum",     "explicit", "export",    "extern",
    "false",    "float",   "for",     "friend",    "goto",     "if",       "imaginary", "inline",
    "int",      "long",    "mutable", "namespace", "new",      "noreturn", "not",       "nullptr",
    "operator", "or",      "private", "protected", "public",   "register", "requires",  "restrict",
    "return",   "short",   "signed",  "sizeof",    "static",   "struct",   "switch",    "template",
    "this",     "throw",   "true",    "try",       "typedef",  "typename", "typeof",    "union",
    "unsigned", "using",   "virtual", "void",      "volatile", "while",    "xor"};

// <name.h> of C11 and POSIX, and what compilers and C libraries have besides.
constexpr std::string_view kHeaders[] = {
    "aio",       "alloca",    "ar",      "argp",     "argz",     "assert",   "byteswap",
    "cpio",      "crypt",     "ctype",   "dirent",   "dlfcn",    "elf",      "endian",
    "envz",      "err",       "errno",   "error",    "execinfo", "fcntl",    "features",
    "fenv",      "float",     "fmtmsg",  "fnmatch",  "ftw",      "getopt",   "glob",
    "grp",       "iconv",     "ifaddrs", "inttypes", "iso646",   "langinfo", "libgen",
    "libintl",   "limits",    "link",    "locale",   "malloc",   "math",     "memory",
    "monetary",  "mqueue",    "ndbm",    "netdb",    "nl_types", "paths",    "poll",
    "process",   "pthread",   "pty",     "pwd",      "regex",    "resolv",   "sched",
    "search",    "semaphore", "setjmp",  "signal",   "spawn",    "stdalign", "stdarg",
    "stdatomic", "stdbool",   "stddef",  "stdint",   "stdio",    "stdlib",   "stdnoreturn",
    "string",    "strings",   "stropts", "syslog",   "tar",      "termios",  "tgmath",
    "threads",   "time",      "uchar",   "ulimit",   "unistd",   "utime",    "utmpx",
    "values",    "wchar",     "wctype",  "wordexp"};

constexpr std::string_view kOwnFiles[] = {"tbn", "tbn_c", "tbn_micro", "tbn_micro_f32"};

template <std::size_t N>
bool holds(const std::string_view (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::string c_name_problem(std::string_view name) {
  if (!is_c_name(name)) {
    return "is no name for C: at most 40 letters, digits and '_', not first a digit";
  }
  // '_' goes between the name and what is made of it.
  if (name.front() == '_' || name.back() == '_' || name.find("__") != std::string_view::npos) {
    return "makes names that C and C++ keep for compilers and libraries ('_' first, or two of "
           "them); "
           "choose another";
  }
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "main") return "is where a program begins; choose another, as 'model'";
  if (holds(kKeywords, lower)) return "is a keyword of C or C++; choose another";
  if (holds(kHeaders, lower)) return "is a header of the C library; choose another";
  if (holds(kOwnFiles, lower)) return "is a file of tbn's own kernels; choose another";
  return "";
}

bool is_exported_c(std::string_view beginning) {
  const std::string_view comment = beginning.substr(0, beginning.find('\n'));
  return comment.starts_with("/* ") &&
         comment.find(", written by tbn-export") != std::string_view::npos;
}

}  // namespace tbn
