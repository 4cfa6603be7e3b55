// The one file that knows the folder's name: any other would be compiled anew in every clone, since
// a compiler cache compares command lines.
#include "support/source_dir.h"

namespace tbn::test {

std::filesystem::path source_dir() { return TBN_SOURCE_DIR; }

}  // namespace tbn::test
