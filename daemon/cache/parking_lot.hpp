// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/engine_request.hpp"
#include "daemon/cache/fetch.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace schultor::cache {

/// A response that was not stored, and waits for the engine to ask for it in the way for such ones.
struct Parked {
  bool https = false;
  std::string host;
  std::string target;
  std::optional<ByteRange> slice{};  ///< that was asked for
  FetchedHead head{};
  std::shared_ptr<void> keeps{};  ///< what the fetch needs
  std::unique_ptr<Fetch> fetch{};
};

/// Responses that wait, each under a token that cannot be guessed, for five seconds at most. Each is handed out once.
class ParkingLot {
public:
  static constexpr std::size_t most = 64;
  static constexpr std::chrono::seconds longest{5};

  explicit ParkingLot(base::EventLoop& loop) : loop_(loop) {}

  /// The token; empty where there is no room: the response is let go of then.
  [[nodiscard]] std::string park(Parked parked);
  /// None where nothing waits under it, or something of another URL.
  [[nodiscard]] std::optional<Parked> take(const EngineRequest& request);

private:
  struct Waiting {
    Parked parked;
    base::EventSource timer;
  };
  base::EventLoop& loop_;
  std::map<std::string, Waiting, std::less<>> waiting_;
};

}  // namespace schultor::cache
