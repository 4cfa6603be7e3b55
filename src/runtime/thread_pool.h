// A few threads that live as long as their session and take numbered tasks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/function_ref.h"

namespace tbn {

class ThreadPool {
 public:
  // `workers` in all; the caller of run() is the first of them, so one worker starts no thread.
  explicit ThreadPool(int workers);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int workers() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls work(task, worker) once for each task in [0, tasks), in any order, worker in [0,
  // workers()), and returns when all are done. The first exception stops the tasks not yet begun
  // and is thrown here.
  using Work = FunctionRef<void(std::int64_t task, int worker)>;
  void run(std::int64_t tasks, Work work);

 private:
  void take_tasks(int worker);
  void serve(int worker);
  bool wait_for_round(std::uint64_t seen);

  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const Work* work_ = nullptr;
  std::int64_t tasks_ = 0;
  std::atomic<std::int64_t> next_ = 0;
  std::atomic<std::uint64_t> round_ = 0;  // counts run() calls
  std::atomic<int> busy_ = 0;             // threads that have not finished this round
  std::atomic<bool> stopping_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace tbn
