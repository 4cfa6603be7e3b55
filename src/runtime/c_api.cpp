// The C interface: handles around the C++ classes, and arguments checked before they are used.
#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/counted.h"
#include "base/shown.h"
#include "runtime/c_handles.h"
#include "tbn/runtime.h"

namespace tbn::c {
namespace {

// An array, not a string: threads have nothing to destroy, so that dlclose can let the library go.
struct LastError {
  std::array<char, 8192> text;  // empty, or a sentence and its end
};

LastError& last_error() {
  thread_local LastError error{};
  return error;
}

// The one place that knows the numbers of tbn_backend.
Backend backend_of(int backend) {
  switch (backend) {
    case TBN_BACKEND_EXACT:
      return Backend::kExact;
    case TBN_BACKEND_REFERENCE:
      return Backend::kReference;
    case TBN_BACKEND_INT8:
      return Backend::kInt8;
    default:
      throw ConfigError("backend " + std::to_string(backend) + " is none of TBN_BACKEND_EXACT, " +
                        "TBN_BACKEND_REFERENCE and TBN_BACKEND_INT8");
  }
}

// `count` floats at `values`, which must be `batch` examples of `shape`: without a product that
// could wrap around.
void check_batch(const char* name, const void* values, std::size_t count, std::int64_t batch,
                 const Shape& shape) {
  const auto each = static_cast<std::size_t>(element_count(shape));
  const auto examples = static_cast<std::size_t>(batch);
  const bool fits = examples == 0 || each <= std::numeric_limits<std::size_t>::max() / examples;
  if (!fits || count != each * examples) {
    throw ConfigError(std::string(name) + "_count is " + std::to_string(count) + ", but " +
                      counted(batch, "example") + " of " + to_string(shape) +
                      (batch == 1 ? " is " : " are ") + std::to_string(batch) + " times " +
                      counted(static_cast<std::int64_t>(each), "value"));
  }
  if (count > 0) require(values, name);
}

Limits limits_of(const tbn_limits* given) {
  Limits limits;
  const auto take = [](const char* name, std::int64_t value, std::int64_t& limit) {
    if (value < 0) {
      throw ConfigError("limits->" + std::string(name) + " must be at least 0, is " +
                        std::to_string(value));
    }
    if (value > 0) limit = value;
  };
  if (given == nullptr) return limits;
  take("memory_bytes", given->memory_bytes, limits.memory_bytes);
  take("operations", given->operations, limits.operations);
  return limits;
}

void give_network(tbn_network** out, std::shared_ptr<const Network> network) {
  *out = new tbn_network{std::move(network)};
}

tbn_status give_shape(const tbn_network* network, const Shape& (Network::*shape)() const,
                      const std::int64_t** dims, std::size_t* rank) {
  return guarded([&] {
    require(dims, "dims");
    *dims = nullptr;
    require(rank, "rank");
    *rank = 0;
    require(network, "network");
    const Shape& found = ((*network->shared).*shape)();
    *dims = found.data();
    *rank = found.size();
  });
}

tbn_status give_count(const tbn_network* network, const Shape& (Network::*shape)() const,
                      std::size_t* count) {
  return guarded([&] {
    require(count, "count");
    *count = 0;
    require(network, "network");
    *count = static_cast<std::size_t>(element_count(((*network->shared).*shape)()));
  });
}

// Runs a session on floats or bytes.
template <class T>
tbn_status run(tbn_session* session, const T* input, std::size_t input_count, std::int64_t batch,
               float* output, std::size_t output_count) {
  return guarded([&] {
    require(session, "session");
    if (batch < 0) throw ConfigError("batch must be at least 0, is " + std::to_string(batch));
    const Network& network = session->session.network();
    check_batch("input", input, input_count, batch, network.input_shape());
    check_batch("output", output, output_count, batch, network.output_shape());
    session->session.run(std::span<const T>(input, input_count), batch, {output, output_count});
  });
}

}  // namespace

tbn_status fail(tbn_status status, std::string_view message) noexcept {
  auto& text = last_error().text;
  std::size_t count = 0;
  bool fits = true;
  each_character(message, [&](std::string_view character, bool is_shown) {
    const std::string_view fit = is_shown ? character : "?";
    fits = fits && count + fit.size() < text.size();
    if (fits) count += fit.copy(text.data() + count, fit.size());  // the rest is left out
  });
  text[count] = '\0';
  return status;
}

}  // namespace tbn::c

using tbn::Network;
using tbn::c::guarded;
using tbn::c::require;

extern "C" {

const char* tbn_version(void) { return TBN_VERSION; }

const char* tbn_last_error(void) { return tbn::c::last_error().text.data(); }

tbn_status tbn_network_load(const char* path, tbn_network** network) {
  return tbn_network_load_within(path, nullptr, network);
}

tbn_status tbn_network_parse(const void* bytes, size_t size, tbn_network** network) {
  return tbn_network_parse_within(bytes, size, nullptr, network);
}

tbn_status tbn_network_load_within(const char* path, const tbn_limits* limits,
                                   tbn_network** network) {
  return guarded([&] {
    require(network, "network");
    *network = nullptr;
    require(path, "path");
    tbn::c::give_network(network, Network::load(path, tbn::c::limits_of(limits)));
  });
}

tbn_status tbn_network_parse_within(const void* bytes, size_t size, const tbn_limits* limits,
                                    tbn_network** network) {
  return guarded([&] {
    require(network, "network");
    *network = nullptr;
    require(bytes, "bytes");
    tbn::c::give_network(network, Network::parse({static_cast<const std::byte*>(bytes), size},
                                                 "model", tbn::c::limits_of(limits)));
  });
}

void tbn_network_free(tbn_network* network) { delete network; }

tbn_status tbn_network_input_shape(const tbn_network* network, const int64_t** dims, size_t* rank) {
  return tbn::c::give_shape(network, &Network::input_shape, dims, rank);
}

tbn_status tbn_network_output_shape(const tbn_network* network, const int64_t** dims,
                                    size_t* rank) {
  return tbn::c::give_shape(network, &Network::output_shape, dims, rank);
}

tbn_status tbn_network_input_count(const tbn_network* network, size_t* count) {
  return tbn::c::give_count(network, &Network::input_shape, count);
}

tbn_status tbn_network_output_count(const tbn_network* network, size_t* count) {
  return tbn::c::give_count(network, &Network::output_shape, count);
}

tbn_status tbn_network_metadata(const tbn_network* network, const char* key, const char** value) {
  return guarded([&] {
    require(value, "value");
    *value = nullptr;
    require(network, "network");
    require(key, "key");
    const auto& metadata = network->shared->metadata();
    const auto found = metadata.find(key);
    if (found != metadata.end()) *value = found->second.c_str();
  });
}

tbn_status tbn_network_metadata_count(const tbn_network* network, size_t* count) {
  return guarded([&] {
    require(count, "count");
    *count = 0;
    require(network, "network");
    *count = network->shared->metadata().size();
  });
}

tbn_status tbn_network_metadata_at(const tbn_network* network, size_t index, const char** key,
                                   const char** value) {
  return guarded([&] {
    require(key, "key");
    *key = nullptr;
    require(value, "value");
    *value = nullptr;
    require(network, "network");
    const auto& metadata = network->shared->metadata();
    if (index >= metadata.size()) {
      throw tbn::ConfigError("index " + std::to_string(index) + " of " +
                             std::to_string(metadata.size()) + " metadata texts");
    }
    const auto entry = std::next(metadata.begin(), static_cast<std::ptrdiff_t>(index));
    *key = entry->first.c_str();
    *value = entry->second.c_str();
  });
}

tbn_status tbn_session_create(const tbn_network* network, int backend, int threads,
                              tbn_session** session) {
  return guarded([&] {
    require(session, "session");
    *session = nullptr;
    require(network, "network");
    const tbn::SessionOptions options{.backend = tbn::c::backend_of(backend), .threads = threads};
    *session = new tbn_session{tbn::Session(network->shared, options)};
  });
}

tbn_status tbn_session_run(tbn_session* session, const float* input, size_t input_count,
                           int64_t batch, float* output, size_t output_count) {
  return tbn::c::run(session, input, input_count, batch, output, output_count);
}

tbn_status tbn_session_run_u8(tbn_session* session, const uint8_t* input, size_t input_count,
                              int64_t batch, float* output, size_t output_count) {
  return tbn::c::run(session, input, input_count, batch, output, output_count);
}

void tbn_session_free(tbn_session* session) { delete session; }

}  // extern "C"
