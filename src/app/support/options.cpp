// The command line on top of cxxopts, with our own messages and without its splitting of values at
// commas.
#include "app/support/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include <cxxopts.hpp>

#include "app/support/json_out.h"
#include "config/problems.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// "output,o" as cxxopts wants it, "o,output"; and its long part.
std::string long_name(const std::string& name) { return name.substr(0, name.find(',')); }
std::string cxxopts_name(const std::string& name) {
  const std::size_t comma = name.find(',');
  return comma == std::string::npos ? name : name.substr(comma + 1) + "," + name.substr(0, comma);
}

bool is_setting(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  return argument.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]") == equals;
}

}  // namespace

struct CommandLine::State {
  std::string tool;
  cxxopts::Options options;
  std::optional<cxxopts::ParseResult> result;
  struct Declared {
    std::string name;  // "--output"
    char letter;       // 'o', or 0
    bool has_value;
    bool may_stand_alone;  // with a value or without
    std::string placeholder = {};
    std::string standard = {};
    std::string help = {};
  };
  std::vector<Declared> declared;
  std::string summary;
  std::string usage;

  Declared& declare(const std::string& name, bool has_value, bool may_stand_alone = false) {
    const std::size_t comma = name.find(',');
    const char letter = name.size() == 1             ? name[0]
                        : comma == std::string::npos ? '\0'
                                                     : name[comma + 1];
    return declared.emplace_back(
        Declared{"--" + long_name(name), letter, has_value, may_stand_alone});
  }
  const Declared* find(const std::string& name) const {
    const auto same = std::find_if(declared.begin(), declared.end(),
                                   [&](const Declared& d) { return d.name == name; });
    return same == declared.end() ? nullptr : &*same;
  }
  const Declared* find(char letter) const {
    const auto same = std::find_if(declared.begin(), declared.end(),
                                   [&](const Declared& d) { return d.letter == letter; });
    return same == declared.end() ? nullptr : &*same;
  }
  std::string unknown(const std::string& argument) const;
  std::string explain(int argc, const char* const* argv) const;
  void check_once(const std::string& hint) const;
  std::vector<std::string> with_one_dash(int argc, const char* const* argv) const;
};

// "unknown option '--jsn' (did you mean --json?)"
std::string CommandLine::State::unknown(const std::string& argument) const {
  const std::string name = argument.substr(0, argument.find('='));
  const std::string bare =
      argument.substr(std::min(argument.find_first_not_of('-'), argument.size()));
  const std::string text = "unknown option '" + printable(name) + "'";
  if (is_setting(bare) && bare.substr(0, bare.find('=')).find('.') != std::string::npos) {
    return text + " (settings have no dashes: " + printable(bare) + ")";
  }
  std::vector<std::string> names;
  names.reserve(declared.size());
  for (const Declared& each : declared) names.push_back(each.name);
  const std::string guess = nearest(name, names);
  return guess.empty() ? text : text + " (did you mean " + guess + "?)";
}

// What is wrong with a command line that cxxopts refused.
std::string CommandLine::State::explain(int argc, const char* const* argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--") break;
    if (argument.size() < 2 || argument[0] != '-') continue;
    const bool is_long = argument[1] == '-';
    const std::size_t equals = argument.find('=');
    const Declared* option = is_long ? find(argument.substr(0, equals)) : find(argument[1]);
    if (option == nullptr || (is_long && option->name.size() == 2)) return unknown(argument);
    if (option->may_stand_alone) continue;
    const bool has_value = is_long ? equals != std::string::npos : argument.size() > 2;
    if (!option->has_value && is_long && has_value) return "'" + option->name + "' takes no value";
    if (!option->has_value && !is_long && has_value) return unknown(argument);
    if (option->has_value && !has_value && ++i >= argc)
      return "'" + option->name + "' needs a value";
  }
  return "the command line cannot be understood";
}

// An option that has a value has one: of two, one would be a wish that was not heard.
void CommandLine::State::check_once(const std::string& hint) const {
  std::map<std::string, std::string> values;
  for (const cxxopts::KeyValue& given : result->arguments()) {
    const Declared* option = find("--" + given.key());
    if (option == nullptr || !option->has_value) continue;
    const auto [before, is_first] = values.emplace(given.key(), given.value());
    if (is_first || before->second == given.value()) continue;
    throw ConfigError(option->name + " is given as '" + printable(before->second) + "' and as '" +
                      printable(given.value()) + "'; give one of them" + hint);
  }
}

CommandLine::CommandLine(const std::string& tool, const std::string& summary,
                         const std::string& usage)
    : state_(new State{tool, cxxopts::Options(tool, tool + ": " + summary), {}, {}, {}, {}}) {
  state_->summary = summary;
  state_->usage = usage;
  state_->options.custom_help(usage + " [options]");
  state_->options.set_width(100);
  flag("help,h", "print this and exit");
  flag("version", "print the version and exit");
  flag("json", "print one JSON document instead of text");
}

CommandLine::~CommandLine() = default;

CommandLine& CommandLine::flag(const std::string& name, const std::string& help) {
  state_->options.add_options()(cxxopts_name(name), help);
  state_->declare(name, false).help = help;
  return *this;
}

CommandLine& CommandLine::value(const std::string& name, const std::string& placeholder,
                                const std::string& help, const std::string& standard) {
  auto spec = cxxopts::value<std::string>();
  if (!standard.empty()) spec = spec->default_value(standard);
  state_->options.add_options()(cxxopts_name(name), help, spec, "<" + placeholder + ">");
  State::Declared& declared = state_->declare(name, true);
  declared.placeholder = placeholder;
  declared.standard = standard;
  declared.help = help;
  return *this;
}

CommandLine& CommandLine::choice(const std::string& name, const std::string& placeholder,
                                 const std::string& alone, const std::string& help) {
  const auto spec = cxxopts::value<std::string>()->implicit_value(alone);
  state_->options.add_options()(cxxopts_name(name), help, spec, placeholder);
  State::Declared& declared = state_->declare(name, true, true);
  declared.placeholder = placeholder;
  declared.help = help;
  return *this;
}

// cxxopts knows options of one letter with one dash only: "--p" and "--p=4" become "-p" and "-p4".
std::vector<std::string> CommandLine::State::with_one_dash(int argc,
                                                           const char* const* argv) const {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    const std::string name = argument.substr(0, argument.find('='));
    if (name.size() != 3 || find(name) == nullptr) continue;
    argument = name.substr(1) + argument.substr(std::min(name.size() + 1, argument.size()));
  }
  return arguments;
}

std::string CommandLine::hint() const { return "; see " + state_->tool + " --help"; }

void CommandLine::describe() const {
  Json::Array options;
  for (const State::Declared& each : state_->declared) {
    Json option = Json::object();
    option["name"] = each.name;
    if (each.letter != 0) option["letter"] = std::string("-") + each.letter;
    if (each.has_value) option["value"] = each.placeholder;
    if (each.may_stand_alone) option["alone"] = true;
    if (!each.standard.empty()) option["default"] = each.standard;
    option["help"] = each.help;
    options.push_back(std::move(option));
  }
  Json json = Json::object();
  json["tool"] = state_->tool;
  json["summary"] = state_->summary;
  json["usage"] = state_->usage;
  json["options"] = Json::array(std::move(options));
  print_json(json);
}

bool CommandLine::parse(int argc, const char* const* argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--describe") {
    describe();
    return false;
  }
  const std::vector<std::string> arguments = state_->with_one_dash(argc, argv);
  std::vector<const char*> pointers;
  pointers.reserve(arguments.size());
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  try {
    state_->result = state_->options.parse(argc, pointers.data());
  } catch (const cxxopts::exceptions::exception&) {
    throw ConfigError(state_->explain(argc, argv) + hint());
  }
  state_->check_once(hint());
  if (has("help")) {
    std::printf("%s", state_->options.help().c_str());
    return false;
  }
  if (has("version")) {
    std::printf("%s %s\n", state_->tool.c_str(), TBN_VERSION);
    return false;
  }
  return true;
}

bool CommandLine::has(const std::string& name) const { return state_->result->count(name) > 0; }

std::string CommandLine::text(const std::string& name) const {
  const auto& result = *state_->result;
  const bool is_given = result.count(name) > 0 || result[name].has_default();
  return is_given ? result[name].as<std::string>() : "";
}

long long CommandLine::number(const std::string& name, long long min, long long max) const {
  const std::string value = text(name);
  long long number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || number < min || number > max) {
    throw ConfigError("--" + name + ": must be a whole number between " + std::to_string(min) +
                      " and " + std::to_string(max) + ", is '" + printable(value) + "'" + hint());
  }
  return number;
}

const std::vector<std::string>& CommandLine::arguments() const {
  return state_->result->unmatched();
}

std::vector<std::string> CommandLine::settings() const {
  std::vector<std::string> found;
  std::copy_if(arguments().begin(), arguments().end(), std::back_inserter(found), is_setting);
  return found;
}

std::vector<std::string> CommandLine::files() const {
  std::vector<std::string> found;
  std::remove_copy_if(arguments().begin(), arguments().end(), std::back_inserter(found),
                      is_setting);
  return found;
}

void CommandLine::expect_only(const std::string& purpose,
                              std::initializer_list<std::string_view> options) const {
  const auto is_named = [&](std::string_view name) {
    return std::find(options.begin(), options.end(), name) != options.end();
  };
  for (const State::Declared& each : state_->declared) {
    const std::string name = each.name.substr(2);
    if (!has(name) || is_named(name)) continue;
    throw ConfigError(each.name + " does nothing for " + purpose + "; leave it out" + hint());
  }
  if (is_named("settings") || settings().empty()) return;
  throw ConfigError("'" + printable(settings().front()) +
                    "' is a setting, which does nothing for " + purpose + "; leave it out" +
                    hint());
}

std::string CommandLine::file(const std::string& what) const {
  const std::vector<std::string> found = files();
  if (found.size() == 1) return found.front();
  if (found.empty() && !settings().empty()) {
    throw ConfigError("which " + what + "? '" + printable(settings().front()) +
                      "' reads as a setting; a file of that name is written with ./ before it" +
                      hint());
  }
  throw ConfigError(found.empty() ? "which " + what + "?" + hint()
                                  : "one " + what + " at a time, not '" + printable(found[0]) +
                                        "' and '" + printable(found[1]) + "'" + hint());
}

}  // namespace tbn
