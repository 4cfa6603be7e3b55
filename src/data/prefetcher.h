// Makes numbered batches ahead of their use in background threads and hands them out in order.
// What a batch contains is the producer's affair; here are only the threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "data/source/batch.h"

namespace tbn {

class Prefetcher {
 public:
  // Fills `out`, whose old buffers may be reused. Called from several threads at once.
  using Produce = std::function<void(std::int64_t item, Batch& out)>;

  // `threads` workers keep up to `depth` batches ready; with 0 threads next() makes them itself.
  Prefetcher(int threads, int depth, Produce produce);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Begins to produce items first .. end-1, dropping whatever was under way.
  void start(std::int64_t first, std::int64_t end);

  // Ends production and waits until no worker is inside the producer.
  void stop();

  // The next batch in order, swapped with `out`; false after the last. An exception of the
  // producer comes out here, at its item's turn, and ends production.
  bool next(Batch& out);

 private:
  struct Slot {
    Batch batch;
    std::exception_ptr error;
    bool ready = false;
  };

  void work();
  void stop_locked(std::unique_lock<std::mutex>& lock);
  void join();
  Slot& slot_of(std::int64_t item) {
    return slots_[static_cast<std::size_t>(item) % slots_.size()];
  }

  const Produce produce_;
  std::mutex mutex_;
  std::condition_variable may_work_;
  std::condition_variable worked_;
  // Items below consumed_ are gone, those below claimed_ are ready or in the making.
  std::int64_t consumed_ = 0;
  std::int64_t claimed_ = 0;
  std::int64_t end_ = 0;
  int busy_ = 0;
  bool quit_ = false;
  std::vector<Slot> slots_;  // a ring: item i lives in slot i % depth
  std::vector<std::thread> threads_;
};

}  // namespace tbn
