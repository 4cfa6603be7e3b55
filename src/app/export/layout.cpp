// Two layouts: one for readers of today, one for those of before.
#include "app/export/layout.h"

#include <string>

#include "app/support/limits.h"
#include "base/text.h"
#include "export/packed_model.h"
#include "tbn/error.h"

namespace tbn::app {

void add_layout_option(CommandLine& line) {
  line.value("layout", "name",
             "compact: the graph in short form, tensors in pairs, test vectors by the name of what "
             "makes them; plain: all in full, for readers that do not know the features 'compact' "
             "and 'generated' (default: compact; of a .tbn, as it is)");
}

void check_layout(const CommandLine& line) {
  if (!line.has("layout")) return;
  const std::string layout = line.text("layout");
  if (layout == "compact" || layout == "plain") return;
  throw ConfigError("--layout: " + in_quotes(layout) + " is not one of compact, plain");
}

void set_layout(const CommandLine& line, ExportSource& source) {
  if (!line.has("layout") && source.is_packed) return;
  const std::string where = source.path.string();
  if (line.has("layout") && line.text("layout") == "plain") {
    make_plain(source.file, where, limits_of(line));
  } else {
    make_compact(source.file, where, limits_of(line));
  }
}

}  // namespace tbn::app
