// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/stored_file.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// The directory in which nginx stores answers: files named by the MD5 of their key, in two levels of folders. Stateless, safe from
/// several threads; nginx goes on meanwhile.
namespace schultor::cache {

/// What became of a sweep.
struct Swept {
  std::uint64_t seen = 0;       ///< stored answers
  std::uint64_t withdrawn = 0;  ///< of these
  std::uint64_t octets = 0;     ///< of the withdrawn ones
};

class Store {
public:
  explicit Store(std::string directory) : directory_(std::move(directory)) {}

  /// Where nginx stores what has this key (levels=1:2).
  [[nodiscard]] std::string path_of(std::string_view key) const;

  struct Body {
    StoredHead head;
    std::string octets;
  };
  /// What is stored under a key, where its body is not longer than that and whole.
  [[nodiscard]] std::optional<Body> read(std::string_view key, std::uint64_t longest) const;

  /// The head of what is stored under a key; none where nothing is.
  [[nodiscard]] std::optional<StoredHead> find(std::string_view key) const;

  /// Withdraws the slices of an address, from now on: whoever is in the middle of one gets it to its end. Not its variants (RFC
  /// 9111, 4.1), which lie under other names: sweep() finds those. How many there were.
  std::uint64_t withdraw(std::string_view scheme, std::string_view host, std::string_view request_uri) const;

  /// Withdraws those slices of an address, which has so many octets, that are not of this entity tag: nginx breaks off where it
  /// meets another one than that of the first slice, again and again. Looks at all of them where `all`, else at the first alone.
  std::uint64_t withdraw_others(std::string_view scheme, std::string_view host, std::string_view request_uri, std::string_view tag,
                                std::uint64_t octets, bool all) const;

  /// Looks at everything that is stored, which takes a disk's time, and withdraws what `condemns`; ends early when `stop` is set.
  [[nodiscard]] base::Result<Swept> sweep(const std::function<bool(const StoredHead&)>& condemns,
                                          const std::atomic<bool>& stop) const;

  /// The sweep of a start and of each day: withdraws what a power cut left damaged, and what a death left unfinished. With
  /// `unsure`, which is after a start of the machine, also what cannot be judged, since the origin told no length.
  [[nodiscard]] base::Result<Swept> sweep_damaged(bool unsure, const std::atomic<bool>& stop) const;

private:
  std::string directory_;
};

/// Whether a key is of that address, whatever slice.
[[nodiscard]] bool is_of_address(std::string_view key, std::string_view address);
/// The host that a key is of; empty where it is none of ours.
[[nodiscard]] std::string_view host_of_key(std::string_view key);

}  // namespace schultor::cache
