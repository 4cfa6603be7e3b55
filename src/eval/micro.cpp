// Images split over threads.
#include "eval/micro.h"

#include <vector>

#include "data/loader.h"
#include "micro/lower.h"
#include "runtime/thread_pool.h"

namespace tbn {

MetricSums evaluate_micro(const micro::IntegerNetwork& network, const Dataset& data, int threads,
                          std::int64_t batch_size, int loader_threads) {
  MetricSums sums(data.spec());
  if (data.size() == 0) return sums;
  const micro::Quantity& quantity =
      network.quantities[static_cast<std::size_t>(network.network.output)];
  const double scale = network.logits ? network.logit_scale : quantity.scale;
  const int zero = network.logits ? 0 : quantity.zero;
  const std::int64_t in = network.network.input.size();
  const std::int64_t out = network.network.size(network.network.output);
  ThreadPool pool(threads);
  BatchLoader loader(data, {.batch_size = batch_size, .threads = loader_threads});
  loader.start_epoch(0);
  std::vector<float> outputs;
  for (Batch batch; loader.next(batch);) {
    sums.leave_out(batch.unread);
    if (batch.size == 0) continue;
    outputs.resize(static_cast<std::size_t>(batch.size * out));
    pool.run(batch.size, [&](std::int64_t i, int) {
      const auto image = micro::channels_last(network.network.input, batch.bytes.data() + i * in);
      const std::vector<std::int32_t> values = micro::run_integers(network, image);
      for (std::int64_t c = 0; c < out; ++c) {
        outputs[static_cast<std::size_t>(i * out + c)] =
            static_cast<float>(scale * (values[static_cast<std::size_t>(c)] - zero));
      }
    });
    sums.add(outputs, batch.labels, batch.targets, batch.size);
  }
  return sums;
}

}  // namespace tbn
