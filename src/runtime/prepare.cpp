// Makes the kernels of a network and keeps the weights that they prepared.
#include "runtime/prepare.h"

#include "base/text.h"
#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/program.h"
#include "tbn/error.h"

namespace tbn {

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const fast::Isa& isa : fast::usable_isas()) names.emplace_back(isa.name);
  return names;
}

TensorMap prepare_weights(const Network& network, Backend backend, std::string_view instructions) {
  for (const fast::Isa& isa : fast::usable_isas()) {
    if (isa.name != instructions) continue;
    TensorMap made;
    const cpu::CpuProgram making(network.graph(), network.tensors(), backend, &isa,
                                 {.used = &made});
    return made;
  }
  TBN_CHECK(false, "not an instruction set of this processor: " + std::string(instructions));
}

void check_prepared(const Network& network) {
  if (network.prepared().empty()) return;
  for (const std::string& instructions : instruction_sets()) {
    for (const Backend backend : kBackends) {
      for (const auto& [name, tensor] : prepare_weights(network, backend, instructions)) {
        const auto held = network.prepared().find(name);
        if (held == network.prepared().end() || held->second == tensor) continue;
        throw DataError("prepared weights " + in_quotes(name) +
                        " are not those of the layer; prepare the file again");
      }
    }
  }
}

}  // namespace tbn
