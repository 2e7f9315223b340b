// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace schultor::lists {

using Digest = std::array<std::byte, 32>;

/// BLAKE2b-256 of what is fed in parts.
class Hasher {
public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void feed(std::span<const std::byte> part);
  /// Once, at the end.
  [[nodiscard]] Digest finish();

private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] Digest digest_of(std::span<const std::byte> bytes);

}  // namespace schultor::lists
