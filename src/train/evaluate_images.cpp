// Whether a data set fits a network.
#include <fmt/format.h>

#include "tbn/error.h"
#include "train/evaluate_checkpoint.h"

namespace tbn {

void check_images_fit(const Graph& graph, const ImageSet& images, const std::string& where) {
  const Shape image = {images.channels, images.height, images.width};
  if (graph.input_shape() != image) {
    throw ConfigError(
        fmt::format("{}: the network takes {}, and the images are {}; name the data "
                    "set that it was trained on",
                    where, to_string(graph.input_shape()), to_string(image)));
  }
  const std::int64_t classes = element_count(graph.output_shape());
  if (classes != images.classes()) {
    throw ConfigError(
        fmt::format("{}: the network tells {} classes apart, and the data set has {}; "
                    "name the data set that it was trained on",
                    where, classes, images.classes()));
  }
}

}  // namespace tbn
