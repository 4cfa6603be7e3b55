// iTransformer (Liu et al. 2024, arXiv 2310.06625): an encoder whose tokens are the columns, each
// with all of its past steps, so that attention compares columns and the linear layers see time.
#include "models/families.h"
#include "models/series.h"

namespace tbn {
namespace {

Value build_itransformer(GraphBuilder& b, Value x, const ModelOptions& options,
                         const TaskSpec& task) {
  const SeriesLevel level(x, options, task, "itransformer");
  x = level.values().transpose().linear(options.integer("dim")).named("embedding");
  x = encoder(b, dropout(x, options.real("dropout")), options);
  x = x.linear(task.output.front()).named("head").transpose();
  const std::int64_t columns = task.output.back();
  if (columns != x.shape()[1]) x = x.linear(columns).named("column_projection");
  return level.restore(x);
}

}  // namespace

ModelFamily itransformer_family() {
  return {
      .name = "itransformer",
      .summary = "iTransformer: attention among the columns, 2 layers of 2 heads",
      .options = {count_option("dim", 128, 16384, "features of a column"),
                  count_option("depth", 2, 64, "layers"),
                  count_option("heads", 2, 256, "heads of the attention"),
                  count_option("mlp", 256, 65536, "hidden units of the layers' MLP"), qkv_option(),
                  dropout_option(0.1, "dropout after the embedding and the layers' branches"),
                  normalize_option()},
      .build = build_itransformer,
      .task = Task::kForecasting};
}

}  // namespace tbn
