// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "netfilter/kernel/batch.hpp"
#include "netfilter/model/ruleset.hpp"

#include <array>
#include <cstddef>
#include <string>

/// What a mode switch is measured beside, in the network namespace of the calling thread.
namespace schultor::bench {

/// Transactions of as many messages and elements as a switch of so many groups, in sets that no rule looks at: written beforehand,
/// sent and acknowledged, nothing else. What any switch costs at least.
class EmptyTransaction {
public:
  explicit EmptyTransaction(std::size_t groups);
  /// Sends the next one; returns when the kernel has acknowledged each message of it.
  void commit();

private:
  base::UniqueFd socket_;
  std::array<netfilter::kernel::Batch, 2> there_and_back_;
  std::size_t next_ = 0;
};

/// The whole ruleset, with whatever its sets begin with, in one transaction of nft(8): what a script would do.
class ReloadByNft {
public:
  explicit ReloadByNft(const netfilter::model::Ruleset& ruleset);
  void run() const;

private:
  std::string text_;
};

/// The same as firewalld reloads: everything dropped and flushed, then the sets with their elements, then the rules, one after the
/// other. Meanwhile nothing passes, nor does what is always allowed.
class FlushAndReload {
public:
  explicit FlushAndReload(const netfilter::model::Ruleset& ruleset);
  void run() const;

private:
  std::array<std::string, 3> steps_;
};

}  // namespace schultor::bench
