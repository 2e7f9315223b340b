// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/byte_range.hpp"
#include "daemon/cache/fetch.hpp"
#include "daemon/cache/header_fields.hpp"
#include "daemon/cache/http_server.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace schultor::cache {

/// An address as it is stored under.
struct StoredAddress {
  bool https = false;
  std::string host;
  std::string target;
};

/// A response that the engine has.
struct StoredResponse {
  int status = 0;
  HeaderFields fields;  ///< as they are stored
  std::string body;
};

/// What passes that concerns what is stored already. Called before the engine has the response.
struct HopEvents {
  /// The origin took a request that changes what is there (RFC 9111, 4.4).
  std::function<void(const StoredAddress&)> changed = [](const StoredAddress&) {};
  /// A slice is about to be stored that begins at that octet, of so many in all, under that entity tag.
  std::function<void(const StoredAddress&, const ByteRange& slice, std::uint64_t total, const std::string& tag)> slice =
      [](const StoredAddress&, const ByteRange&, std::uint64_t, const std::string&) {};
  /// What the engine has, where its body is of longest_renewed at most.
  std::function<std::optional<StoredResponse>(const StoredAddress&, const std::optional<ByteRange>& slice)> stored =
      [](const StoredAddress&, const std::optional<ByteRange>&) { return std::nullopt; };
};

/// The origin hop: what the engine asks it over a unix socket, it asks origins, and says whether and for how long what they answer
/// may be stored.
class Hop {
public:
  struct Options {
    std::string socket = "/run/schultor-cache/hop.sock";
    FetchLimits limits;
  };

  static base::Result<std::unique_ptr<Hop>> create(base::EventLoop& loop, Options options, HopEvents events);
  ~Hop();

  /// Before the first rules no host is an origin's. Requests that are under way go on under the rules with which they began. On
  /// error the old rules stay.
  [[nodiscard]] base::Result<void> set_rules(policy::CacheRules rules);
  [[nodiscard]] const FetchCounts& counts() const;

private:
  struct Impl;
  explicit Hop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
