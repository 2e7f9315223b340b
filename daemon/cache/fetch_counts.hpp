// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace schultor::cache {

/// What was fetched from an origin: what crossed the school's line.
struct FetchCount {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  ///< of them: no response, or one that broke off
  std::uint64_t octets = 0;    ///< of responses, header sections and bodies, before TLS and TCP
  bool operator==(const FetchCount&) const = default;
};

/// By origin, since the start. No URL, no client.
class FetchCounts {
public:
  void add(const std::string& origin, bool failed, std::uint64_t octets) {
    auto& count = counts_[origin];
    ++count.requests;
    count.failures += failed ? 1 : 0;
    count.octets += octets;
  }
  [[nodiscard]] std::map<std::string, FetchCount> snapshot() const { return counts_; }

private:
  std::map<std::string, FetchCount> counts_;
};

}  // namespace schultor::cache
