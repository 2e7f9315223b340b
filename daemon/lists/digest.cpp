// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/digest.hpp"

#include <sodium.h>

namespace schultor::lists {

struct Hasher::State {
  crypto_generichash_state state;
};

// None of these functions fails for a digest of this size and no key.
Hasher::Hasher() : state_(std::make_unique<State>()) { crypto_generichash_init(&state_->state, nullptr, 0, Digest{}.size()); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::feed(std::span<const std::byte> part) {
  crypto_generichash_update(&state_->state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
}

Digest Hasher::finish() {
  Digest digest{};
  crypto_generichash_final(&state_->state, reinterpret_cast<unsigned char*>(digest.data()), digest.size());
  return digest;
}

Digest digest_of(std::span<const std::byte> bytes) {
  Hasher hasher;
  hasher.feed(bytes);
  return hasher.finish();
}

}  // namespace schultor::lists
