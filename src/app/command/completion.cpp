// Completion: after `tbn` the verbs, after a tool its options, and files everywhere.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command/descriptions.h"
#include "app/command/parts.h"
#include "app/support/exit_codes.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

std::string words_of(const ToolText& tool) {
  std::string words;
  for (const OptionText& option : tool.options) words += (words.empty() ? "" : " ") + option.name;
  return words;
}

// zsh reads it too, by bashcompinit.
std::string bash_script(const std::vector<ToolText>& tools) {
  std::string verbs = "list completion man";
  std::string cases;
  std::string names = "tbn";
  for (const ToolText& tool : tools) {
    verbs += " " + tool.verb;
    names += " " + tool.tool;
    cases += fmt::format("    {}) words='{}' ;;\n", tool.verb, words_of(tool));
  }
  return fmt::format(R"(_tbn() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} tool=${{COMP_WORDS[0]##*/}} verb words=''
  verb=${{tool#tbn-}}
  if [ "$verb" = tbn ]; then
    verb=${{COMP_WORDS[1]}}
    if [ "$COMP_CWORD" -eq 1 ]; then
      COMPREPLY=($(compgen -W '{}' -- "$word"))
      return
    fi
  fi
  case $verb in
{}    list) words='networks datasets configs ops encodings' ;;
    completion) words='bash zsh fish' ;;
  esac
  if [ "$verb" = runs ] && [[ ${{COMP_WORDS[COMP_CWORD-1]}} =~ (^|/)(tbn-)?runs$ ]]; then
    words='list show compare table sweep'
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  elif [[ $word == -* || $verb == list || $verb == completion ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=()
  fi
}}
complete -o default -F _tbn {}
)",
                     verbs, cases, names);
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const std::vector<ToolText>& tools) {
  std::string script;
  for (const ToolText& tool : tools) {
    script += fmt::format("complete -c tbn -n __fish_use_subcommand -a {} -d {}\n", tool.verb,
                          fish_quoted(tool.summary));
    for (const OptionText& option : tool.options) {
      const std::string long_name = option.name.substr(2);
      // Options of one letter have no long form for fish.
      std::string text = long_name.size() == 1 ? " -s " + long_name : " -l " + long_name;
      if (!option.letter.empty() && long_name.size() > 1) text += " -s " + option.letter.substr(1);
      if (!option.value.empty() && !option.alone) text += " -r";
      text += " -d " + fish_quoted(option.help) + "\n";
      script += fmt::format("complete -c {}{}", tool.tool, text);
      script +=
          fmt::format("complete -c tbn -n '__fish_seen_subcommand_from {}'{}", tool.verb, text);
    }
  }
  script += "complete -c tbn -n __fish_use_subcommand -a 'list completion man'\n";
  script +=
      "complete -c tbn -n '__fish_seen_subcommand_from list' -a 'networks datasets configs ops "
      "encodings'\n";
  return script;
}

}  // namespace

int print_completion(const CommandLine&, const std::vector<std::string>& arguments) {
  const std::string shell = arguments.size() == 1 ? arguments.front() : "";
  if (shell == "bash") {
    fmt::print("{}", bash_script(describe_tools()));
  } else if (shell == "zsh") {
    fmt::print("autoload -U +X bashcompinit && bashcompinit\n{}", bash_script(describe_tools()));
  } else if (shell == "fish") {
    fmt::print("{}", fish_script(describe_tools()));
  } else {
    throw ConfigError("completion: for which shell, bash, zsh or fish?");
  }
  return kDone;
}

}  // namespace tbn::app
