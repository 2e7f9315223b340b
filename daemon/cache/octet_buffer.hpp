// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace schultor::cache {

/// Octets that wait, first in first out. Whoever fills it bounds it.
class OctetBuffer {
public:
  void append(std::string_view octets) { octets_.append(octets); }
  [[nodiscard]] std::size_t size() const { return octets_.size() - read_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  std::size_t take(std::span<char> into) {
    const auto count = std::min(into.size(), size());
    std::copy_n(octets_.data() + read_, count, into.data());
    read_ += count;
    // Moved seldom, so that an octet is moved once at most on the average.
    if (read_ == octets_.size() || read_ > octets_.size() / 2) {
      octets_.erase(0, read_);
      read_ = 0;
    }
    return count;
  }

private:
  std::string octets_;
  std::size_t read_ = 0;
};

}  // namespace schultor::cache
