// By the link that the system keeps to a running program.
#include "app/support/tool_beside.h"

#include <filesystem>
#include <system_error>

#include "tbn/error.h"

namespace tbn {

std::string tool_beside(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw SystemError("cannot find the folder of the tools: " + error.message());
  return (self.parent_path() / name).string();
}

}  // namespace tbn
