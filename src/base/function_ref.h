// A reference to something callable, for parameters that are called before the function returns.
// Unlike std::function it owns nothing, and so never allocates.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace tbn {

template <class Signature>
class FunctionRef;

template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  // `f` must outlive the reference.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, A...>)
      FunctionRef(F&& f)  // NOLINT: implicit by design
      : callee_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* callee, A... arguments) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(callee))(std::forward<A>(arguments)...);
        }) {}

  R operator()(A... arguments) const { return call_(callee_, std::forward<A>(arguments)...); }

 private:
  void* callee_;
  R (*call_)(void*, A...);
};

}  // namespace tbn
