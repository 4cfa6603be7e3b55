// Lines to points to inputs.
#include "predict/clouds.h"

#include "base/counted.h"
#include "data/points/point_set.h"
#include "data/points/text_clouds.h"
#include "prepare/inputs.h"
#include "prepare/kind.h"
#include "tbn/error.h"

namespace tbn {

PredictionInput cloud_input(std::span<const float> points, const std::string& name,
                            const NetworkForm& form) {
  const std::int64_t columns = point_columns(form.rule, form.input);
  if (columns > 0 && std::ssize(points) < kFewestCloudPoints * columns) {
    throw DataError("'" + name + "': " + counted(std::ssize(points) / columns, "point") +
                    "; a cloud needs at least " + std::to_string(kFewestCloudPoints));
  }
  PredictionInput input{.name = name};
  input.values.resize(static_cast<std::size_t>(element_count(form.input)));
  input.points = prepare_points(form.rule, form.input, points, form.category, input.values);
  return input;
}

PredictionInput cloud_of_text(std::span<const std::uint8_t> bytes, const std::string& name,
                              const NetworkForm& form) {
  input_of(form.rule, "points", "clouds of points");
  const std::vector<float> points =
      read_points(bytes, "'" + name + "': ", point_columns(form.rule, form.input));
  return cloud_input(points, name, form);
}

}  // namespace tbn
