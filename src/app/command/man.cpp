// Manual pages in the macros of man(7).
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command/descriptions.h"
#include "app/command/parts.h"
#include "app/support/exit_codes.h"
#include "base/shown.h"
#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// Text as roff may have it: no dashes that become hyphens, no line that begins as a request.
std::string roff(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '.' || c == '\'') && (i == 0 || text[i - 1] == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page_of(const ToolText& tool) {
  std::string page = fmt::format(".TH {} 1 \"\" \"tbn {}\" \"Tiled Bit Networks\"\n",
                                 roff(tool.tool), TBN_VERSION);
  page += fmt::format(".SH NAME\n{} \\- {}\n", roff(tool.tool), roff(tool.summary));
  page += fmt::format(".SH SYNOPSIS\n.B {}\n{} [options]\n.br\n.B tbn {}\n{} [options]\n",
                      roff(tool.tool), roff(tool.usage), roff(tool.verb), roff(tool.usage));
  page += ".SH OPTIONS\n";
  for (const OptionText& option : tool.options) {
    std::string head = "\\fB" + roff(option.name) + "\\fR";
    if (!option.letter.empty() && option.letter != option.name.substr(1)) {
      head = "\\fB" + roff(option.letter) + "\\fR, " + head;
    }
    if (option.alone) {
      head += "[=\\fI" + roff(option.value) + "\\fR]";
    } else if (!option.value.empty()) {
      head += " \\fI" + roff(option.value) + "\\fR";
    }
    page += fmt::format(".TP\n{}\n{}", head, roff(option.help));
    if (!option.standard.empty()) page += fmt::format(" (default: {})", roff(option.standard));
    page += '\n';
  }
  page +=
      ".SH EXIT STATUS\n0 done; 1 the machine failed; 2 the command line or the configuration; 3 a "
      "data "
      "set or a model file; 4 numbers that are not finite; 128 + n stopped by signal n.\n";
  page += ".SH SEE ALSO\nThe documents of the project: docs/tools.md, docs/errors.md.\n";
  return page;
}

}  // namespace

int write_man_pages(const CommandLine&, const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) throw ConfigError("man: into which folder?");
  const std::filesystem::path folder = std::filesystem::path(arguments.front()) / "man1";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw SystemError(fmt::format("'{}' cannot be made: {}", folder.string(), error.message()));
  }
  for (const ToolText& tool : describe_tools()) {
    write_file_atomically(folder / (tool.tool + ".1"), page_of(tool));
    fmt::print("{}\n", shown((folder / (tool.tool + ".1")).string()));
  }
  return kDone;
}

}  // namespace tbn::app
