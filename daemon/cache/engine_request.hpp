// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/byte_range.hpp"
#include "daemon/cache/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace schultor::cache {

/// The engine's status for a response that is not to be stored: it asks for it again, without storing, and for a minute others as
/// well.
inline constexpr int not_stored_status = 598;

/// Whether hop and engine are there is asked of this host, under this path: 204.
inline constexpr std::string_view health_host = "health.schultor.internal";
inline constexpr std::string_view health_path = "/.schultor/health";

/// What the engine asks of an origin, in the words of its configuration.
struct EngineRequest {
  std::string method;
  std::string target;  ///< in origin form
  std::string host;    ///< lower case, no port
  bool https = false;
  bool store = false;              ///< the response may be stored; else it is passed on as it is
  std::optional<ByteRange> slice;  ///< where store, and the engine asks for a slice
  bool has_stored = false;         ///< where store: the engine has a response, which is no longer fresh
  std::string parked;              ///< the token of a response that waits; empty: none
  HeaderFields fields;             ///< as the engine sent them
  /// Whether a field says who asks, or may: Authorization, Cookie, and whatever others bear such a name.
  [[nodiscard]] bool has_credentials() const;
  [[nodiscard]] bool is_conditional() const { return fields.has("If-None-Match") || fields.has("If-Modified-Since"); }
};

/// What cannot be understood is an error: it is answered with 400.
[[nodiscard]] base::Result<EngineRequest> read_engine_request(RequestHead head);

/// What is asked of the origin: end-to-end fields, without what is said between engine and hop or tells of a client. `whole`:
/// without a range.
[[nodiscard]] HeaderFields fields_for_origin(const EngineRequest& request, bool whole);

}  // namespace schultor::cache
