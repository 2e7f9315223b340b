// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/event_loop.hpp"
#include "daemon/cache/fetch_counts.hpp"
#include "daemon/cache/messages.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::cache {

/// What an origin is asked.
struct FetchRequest {
  std::string origin;  ///< on whose account
  std::string method;
  bool https = false;
  std::string host;
  std::string target;                    ///< goes onto the request line as it is
  HeaderFields fields;                   ///< beside Host and what frames the body
  std::vector<base::Address> addresses;  ///< of the host, at least one; no other is connected to
  bool has_body = false;                 ///< written with Fetch::write
  std::optional<std::uint64_t> body_length;
};

struct FetchLimits {
  std::chrono::milliseconds connect{4000};
  std::chrono::seconds stalled{20};  ///< below `slowest` for so long
  std::uint32_t slowest = 100;       ///< octets a second
  std::string authorities;           ///< a PEM file of the authorities to trust; empty: those of the system
};

/// A request to an origin that is under way. It ends with this handle.
class Fetch {
public:
  /// As many octets of a response as are held at most; more are left to TCP.
  static constexpr std::size_t most_held = 256U << 10U;
  enum class State : std::uint8_t { going, complete, failed };
  struct Transfer;

  explicit Fetch(std::shared_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  /// Called from the loop whenever there is more to see or room to write; it may end this fetch. It takes an earlier one's place.
  void on_progress(std::function<void()> handler);
  /// None before the header section of the final response is there.
  [[nodiscard]] const FetchedHead* head() const;
  /// Body octets as the origin sent them, content coding and all; 0: none now.
  [[nodiscard]] std::size_t read(std::span<char> into);
  [[nodiscard]] bool readable() const;
  /// Complete: what is still to be read is all.
  [[nodiscard]] State state() const;
  /// Why it failed.
  [[nodiscard]] const std::string& why() const;
  /// False where it failed before the origin could be asked anything: no connection, or no TLS that is to be trusted.
  [[nodiscard]] bool reached() const;
  /// How many octets of the request's body were taken; 0: none now.
  [[nodiscard]] std::size_t write(std::string_view octets);
  void end_of_body();

private:
  std::shared_ptr<Transfer> transfer_;
};

/// libcurl on the event loop. TLS is verified, no redirect is followed, no proxy asked, nothing is kept of cookies, credentials or
/// names. A connection carries one request at a time, with HTTP/2 too, so that who reads slowly holds up nobody.
class Fetcher {
public:
  /// An address for which `allowed` is false is not connected to. `counts` outlives this.
  static base::Result<std::unique_ptr<Fetcher>> create(base::EventLoop& loop, FetchLimits limits, FetchCounts& counts,
                                                       std::function<bool(const base::Address&)> allowed);
  /// All fetches have ended before.
  ~Fetcher();

  /// Nothing where libcurl cannot be used for it.
  [[nodiscard]] std::unique_ptr<Fetch> start(FetchRequest request);

private:
  struct Impl;
  friend Fetch;
  explicit Fetcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
