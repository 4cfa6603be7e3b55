// One marker file decides; the splits are opened alike.
#include "data/points/two_forms.h"

#include "data/points/point_augment.h"

namespace tbn {

DataSplits open_form(const TwoForms& forms, const std::filesystem::path& folder,
                     const DataOptions& options, const SplitRequest& request) {
  check_point_options(options.points);
  const bool is_text = find_first(folder, {forms.text_file}).has_value();
  const TwoForms::Open open = is_text ? forms.text : forms.hdf5;
  DataSplits splits;
  if (request.train) {
    splits.train = open(folder, options, "train");
    if (forms.has_validation) splits.validation = open(folder, options, "val");
  }
  if (request.test) splits.test = open(folder, options, "test");
  return splits;
}

}  // namespace tbn
