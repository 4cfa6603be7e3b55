// A ring of slots between workers and one consumer, under one lock.
#include "data/prefetcher.h"

#include <utility>

#include "tbn/error.h"

namespace tbn {

Prefetcher::Prefetcher(int threads, int depth, Produce produce) : produce_(std::move(produce)) {
  TBN_CHECK(threads >= 0 && depth > 0, "Prefetcher needs threads >= 0 and a depth of 1 or more");
  slots_.resize(static_cast<std::size_t>(depth));
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (...) {
    join();  // a machine out of threads: end those that run before the error leaves
    throw;
  }
}

Prefetcher::~Prefetcher() { join(); }

void Prefetcher::join() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  may_work_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Prefetcher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    may_work_.wait(lock, [this] {
      const auto room = consumed_ + static_cast<std::int64_t>(slots_.size());
      return quit_ || (claimed_ < end_ && claimed_ < room);
    });
    if (quit_) return;
    const std::int64_t item = claimed_++;
    Slot& slot = slot_of(item);
    ++busy_;
    lock.unlock();
    std::exception_ptr error;
    try {
      produce_(item, slot.batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    slot.error = std::move(error);
    slot.ready = true;
    --busy_;
    worked_.notify_all();
  }
}

void Prefetcher::stop_locked(std::unique_lock<std::mutex>& lock) {
  end_ = claimed_;
  worked_.wait(lock, [this] { return busy_ == 0; });
  for (auto& slot : slots_) {
    slot.ready = false;
    slot.error = nullptr;
  }
  consumed_ = end_;
}

void Prefetcher::stop() {
  std::unique_lock lock(mutex_);
  stop_locked(lock);
}

void Prefetcher::start(std::int64_t first, std::int64_t end) {
  TBN_CHECK(first >= 0 && first <= end, "Prefetcher::start needs 0 <= first <= end");
  {
    std::unique_lock lock(mutex_);
    stop_locked(lock);
    consumed_ = claimed_ = first;
    end_ = end;
  }
  may_work_.notify_all();
}

bool Prefetcher::next(Batch& out) {
  std::unique_lock lock(mutex_);
  if (consumed_ >= end_) return false;
  Slot& slot = slot_of(consumed_);
  if (threads_.empty()) {
    ++claimed_;
    try {
      produce_(consumed_, slot.batch);
    } catch (...) {
      slot.error = std::current_exception();
    }
  } else {
    worked_.wait(lock, [&] { return slot.ready; });
  }
  if (slot.error) {
    const std::exception_ptr error = std::exchange(slot.error, nullptr);
    stop_locked(lock);
    std::rethrow_exception(error);
  }
  slot.ready = false;
  std::swap(out, slot.batch);
  ++consumed_;
  lock.unlock();
  may_work_.notify_one();
  return true;
}

}  // namespace tbn
