// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace schultor::cache {

/// Addresses of origins, asked of one resolver (c-ares). They are remembered for as long as their TTL says, from a second to five
/// minutes; whoever asks for a name that is being asked for waits for the same answer. Only addresses outside are handed out.
class NameLookup {
public:
  using Found = std::function<void(base::Result<std::vector<base::Address>>)>;
  /// Somebody who waits; who lets go of it is not called any more.
  using Waiting = std::shared_ptr<Found>;

  static base::Result<std::unique_ptr<NameLookup>> create(base::EventLoop& loop, const base::Endpoint& resolver,
                                                          std::vector<base::Prefix> inside);
  ~NameLookup();

  /// `host` is one of the rules, so that there is a bound to what is remembered. `found` is called once: at once where the
  /// addresses are known, then nothing is returned. At least one address is handed over.
  [[nodiscard]] Waiting find(const std::string& host, Found found);

private:
  struct Impl;
  explicit NameLookup(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
