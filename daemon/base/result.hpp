// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace schultor::base {

/// What went wrong, as one sentence for the person who can mend it, with the
/// context it went wrong in, outermost first: "/etc/schultor/roster.csv:14: …".
class [[nodiscard]] Error {
public:
  explicit Error(std::string what) : what_(std::move(what)) {}

  /// Puts `context` before what is said already: "context: what".
  Error within(std::string_view context) && {
    what_ = fmt::format("{}: {}", context, what_);
    return std::move(*this);
  }

  [[nodiscard]] const std::string& what() const noexcept { return what_; }

private:
  std::string what_;
};

/// A value, or the Error why there is none. Never thrown, never ignored.
template <typename T>
using Result = tl::expected<T, Error>;

/// Shorthand for `return fail("port {} is taken", port);`.
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error(fmt::format(format, std::forward<Args>(args)...)));
}

/// A failed system call: "`what`: No such file or directory". `error` is an
/// errno value and positive; kernel answers (negative) are to be negated first.
[[nodiscard]] inline tl::unexpected<Error> fail_errno(int error, std::string_view what) {
  return fail("{}: {}", what, std::generic_category().message(error));
}

/// Hands on another Result's error: `if (!r) return pass(std::move(r), "context");`.
template <typename T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>&& failed, std::string_view context) {
  return tl::unexpected<Error>(std::move(failed.error()).within(context));
}
template <typename T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}

}  // namespace schultor::base
