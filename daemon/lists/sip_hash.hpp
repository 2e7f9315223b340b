// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// SipHash (Aumasson and Bernstein, 2012) of what is fed octet by octet, which may be asked for at any point on the way.
namespace schultor::lists {

struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  bool operator==(const SipKey&) const = default;
};

template <int compression_rounds, int final_rounds>
class SipHash {
public:
  constexpr explicit SipHash(const SipKey& key)
      : a_(key.first ^ 0x736f6d6570736575U),
        b_(key.second ^ 0x646f72616e646f6dU),
        c_(key.first ^ 0x6c7967656e657261U),
        d_(key.second ^ 0x7465646279746573U) {}

  constexpr void feed(unsigned char octet) {
    word_ |= std::uint64_t{octet} << (8 * (length_ % 8));
    if (++length_ % 8 == 0) {
      compress(word_);
      word_ = 0;
    }
  }

  /// The hash of all that was fed so far; more may be fed afterwards.
  [[nodiscard]] constexpr std::uint64_t hash() const {
    SipHash end = *this;
    end.compress(word_ | std::uint64_t{length_ & 0xffU} << 56U);
    end.c_ ^= 0xffU;
    for (int i = 0; i < final_rounds; ++i) end.round();
    return end.a_ ^ end.b_ ^ end.c_ ^ end.d_;
  }

private:
  constexpr void round() {
    a_ += b_;
    c_ += d_;
    b_ = std::rotl(b_, 13) ^ a_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32);
    c_ += b_;
    a_ += d_;
    b_ = std::rotl(b_, 17) ^ c_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ = std::rotl(c_, 32);
  }
  constexpr void compress(std::uint64_t word) {
    d_ ^= word;
    for (int i = 0; i < compression_rounds; ++i) round();
    a_ ^= word;
  }

  std::uint64_t a_, b_, c_, d_;
  std::uint64_t word_ = 0;
  std::size_t length_ = 0;
};

/// The table's: a name from its last octet to its first, so that one pass gives the hashes of all suffixes.
using NameHash = SipHash<1, 3>;

[[nodiscard]] constexpr std::uint64_t hash_of_name(const SipKey& key, std::string_view name) {
  NameHash hash(key);
  for (std::size_t i = name.size(); i > 0; --i) hash.feed(static_cast<unsigned char>(name[i - 1]));
  return hash.hash();
}

}  // namespace schultor::lists
