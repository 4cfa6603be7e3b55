// Images split over threads.
#include "eval/micro.h"

#include <vector>

#include "data/loader.h"
#include "micro/lower.h"
#include "runtime/thread_pool.h"

namespace tbn {

void run_micro(const micro::IntegerNetwork& network, const std::uint8_t* bytes, float* outputs) {
  const micro::Quantity& quantity =
      network.quantities[static_cast<std::size_t>(network.network.output)];
  const double scale = network.logits ? network.logit_scale : quantity.scale;
  const int zero = network.logits ? 0 : quantity.zero;
  const auto image = micro::channels_last(network.network.input, bytes);
  for (const std::int32_t value : micro::run_integers(network, image)) {
    *outputs++ = static_cast<float>(scale * (value - zero));
  }
}

MetricSums evaluate_micro(const micro::IntegerNetwork& network, const Dataset& data, int threads,
                          std::int64_t batch_size, int loader_threads) {
  MetricSums sums(data.spec());
  if (data.size() == 0) return sums;
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
      run_micro(network, batch.bytes.data() + i * in, outputs.data() + i * out);
    });
    sums.add(outputs, batch.labels, batch.targets, batch.size);
  }
  return sums;
}

}  // namespace tbn
