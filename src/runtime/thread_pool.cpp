// Threads that take numbered tasks: whole examples, or the parts of a layer, which take
// microseconds. So a thread looks out for work for a while before it sleeps.
#include "runtime/thread_pool.h"

#include <string>
#include <system_error>
#include <utility>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Looks at a condition for some tens of microseconds; whether it came true.
template <class F>
bool spin_until(F condition) {
  constexpr int kLooks = 4000, kLooksPerYield = 64;
  for (int i = 0; i < kLooks; ++i) {
    if (condition()) return true;
    if (i % kLooksPerYield == kLooksPerYield - 1) {
      std::this_thread::yield();  // to the thread that is waited for, where cores are few
    } else {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      __asm__ volatile("yield");
#endif
    }
  }
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int workers) {
  try {
    for (int worker = 1; worker < workers; ++worker) {
      threads_.emplace_back([this, worker] { serve(worker); });
    }
  } catch (const std::system_error& e) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    start_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    throw SystemError("cannot start " + counted(workers, "thread") + ": " + e.what());
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(std::int64_t tasks, Work work) {
  if (threads_.empty() || tasks <= 1) {
    for (std::int64_t task = 0; task < tasks; ++task) work(task, 0);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    tasks_ = tasks;
    next_ = 0;
    busy_ = static_cast<int>(threads_.size());
    ++round_;
  }
  start_.notify_all();
  take_tasks(0);
  const auto all_done = [this] { return busy_ == 0; };
  if (!spin_until(all_done)) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, all_done);
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_tasks(int worker) {
  for (std::int64_t task = next_++; task < tasks_; task = next_++) {
    try {
      (*work_)(task, worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = tasks_;
    }
  }
}

// False where the pool is stopping.
bool ThreadPool::wait_for_round(std::uint64_t seen) {
  const auto called = [&] { return stopping_ || round_ != seen; };
  if (!spin_until(called)) {
    std::unique_lock lock(mutex_);
    start_.wait(lock, called);
  }
  return !stopping_;
}

void ThreadPool::serve(int worker) {
  std::uint64_t seen = 0;
  while (wait_for_round(seen)) {
    ++seen;
    take_tasks(worker);
    // Under the mutex, so that the caller cannot miss it between looking and sleeping.
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace tbn
