// Turns exceptions into a status and the thread's last error, at the border from C++ to C.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "tbn/error.h"
#include "tbn/tbn_c.h"

namespace tbn::c {

// Keeps the message for tbn_last_error and returns `status`.
tbn_status fail(tbn_status status, std::string_view message) noexcept;

// Calls `body`, and lets nothing through that it throws.
template <class Body>
tbn_status guarded(Body body) noexcept {
  try {
    body();
    return TBN_OK;
  } catch (const ConfigError& error) {
    return fail(TBN_ERROR_ARGUMENT, error.what());
  } catch (const DataError& error) {
    return fail(TBN_ERROR_DATA, error.what());
  } catch (const NonFiniteError& error) {
    return fail(TBN_ERROR_NON_FINITE, error.what());
  } catch (const std::bad_alloc&) {
    return fail(TBN_ERROR_SYSTEM, "out of memory");
  } catch (const std::exception& error) {
    return fail(TBN_ERROR_SYSTEM, error.what());
  } catch (...) {
    return fail(TBN_ERROR_SYSTEM, "an exception of an unknown type; please report it");
  }
}

}  // namespace tbn::c
