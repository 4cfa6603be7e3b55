// The command line of the tools: options of their own beside --help, --version and --json, and free
// arguments (files, key=value settings) in the order given.
//
//   CommandLine line("tbn-train", "trains a tiled network", "--config <file> [key=value...]");
//   line.value("config,c", "file", "the YAML configuration");
//   line.flag("dry-run", "stop before training");
//   if (!line.parse(argc, argv)) return kDone;      // --help or --version, printed
//   Config config = load_config(line.text("config"), line.settings());
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

class CommandLine {
 public:
  CommandLine(const std::string& tool, const std::string& summary, const std::string& usage);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // `name` is "output" or, with a letter, "output,o"; "p" is --p and -p.
  CommandLine& flag(const std::string& name, const std::string& help);
  // An option that stands alone or takes its value after '=': --resume, --resume=auto. `alone` is
  // its value where it stands alone.
  CommandLine& choice(const std::string& name, const std::string& placeholder,
                      const std::string& alone, const std::string& help);
  CommandLine& value(const std::string& name, const std::string& placeholder,
                     const std::string& help, const std::string& standard = "");
  // Every tool takes it where less than it usually prints is enough; `help` says what is left.
  CommandLine& quiet_flag(const std::string& help) { return flag("quiet,q", help); }

  // False where --help, --version or --describe (what the options are, as JSON, from which `tbn`
  // makes manual pages and completions) was asked for and has been printed. Throws ConfigError for
  // an unknown option (with the nearest), a missing value, a value where none belongs, or two
  // values of one option that differ.
  bool parse(int argc, const char* const* argv);

  bool json() const { return has("json"); }
  bool quiet() const { return has("quiet"); }  // for tools that declare it
  bool has(const std::string& name) const;
  // The value, or its default.
  std::string text(const std::string& name) const;
  // A whole number between `min` and `max`; throws ConfigError for anything else.
  long long number(const std::string& name, long long min, long long max) const;

  // The free arguments: all, those with '=' after a word of letters, digits, '_', '.', '[' and ']',
  // and the others.
  const std::vector<std::string>& arguments() const;
  std::vector<std::string> settings() const;
  std::vector<std::string> files() const;
  // Throws ConfigError where an option, or a setting ("settings" in the list), was given that
  // `options` does not name: "--seconds does nothing for <purpose>". Every way through a tool says
  // so what it looks at, for an option that is ignored is a wish that was not heard.
  void expect_only(const std::string& purpose,
                   std::initializer_list<std::string_view> options) const;
  // The only one of files(); throws ConfigError where there is none ("which <what>?") or more.
  std::string file(const std::string& what) const;

 private:
  std::string hint() const;
  void describe() const;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tbn
