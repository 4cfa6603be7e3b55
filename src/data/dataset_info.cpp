// Shapes of the registered data sets.
#include "data/dataset_info.h"

#include <map>

#include "data/dataset.h"
#include "tbn/error.h"

namespace tbn {

DatasetInfo dataset_info(const std::string& name) {
  static const std::map<std::string, DatasetInfo> infos = {
      {"mnist", {1, 28, 28, 10}},
      {"fashion_mnist", {1, 28, 28, 10}},
      {"cifar10", {3, 32, 32, 10}},
      {"cifar100", {3, 32, 32, 100}},
  };
  find_dataset(name);
  const auto found = infos.find(name);
  TBN_CHECK(found != infos.end(), "data set '" + name + "' has no entry in dataset_info");
  return found->second;
}

}  // namespace tbn
