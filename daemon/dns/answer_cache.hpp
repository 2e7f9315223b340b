// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_table.hpp"
#include "daemon/dns/plain_question.hpp"
#include "daemon/dns/statistics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace schultor::dns {

/// Answers as they left, to be given again to whoever asks the same in the same view: a hot name costs neither a question upstream
/// nor a pin. TTLs count down. An answer is kept for no longer than its lowest TTL, and none was given whose pins end before that:
/// so what is found here is open. Whoever loses pins or gets other rules calls clear(). Bounded in entries and in octets.
class AnswerCache {
public:
  struct Bounds {
    std::size_t entries = 0;
    std::size_t octets = 0;  ///< of the answers and what they are found by
  };
  /// Of the hash that places answers: random, so that nobody can make up names that push each other out.
  using Secret = std::array<std::uint8_t, 16>;

  AnswerCache(const Bounds& bounds, const Secret& secret);

  struct Found {
    std::size_t size = 0;  ///< 0: none is kept, or none that fits
    Verdict verdict = Verdict::allowed;
  };
  /// Writes the answer to `question` in `view` to `out`: its id, its RD bit, its name as it was spelt.
  [[nodiscard]] Found answer(const PlainQuestion& question, std::uint32_t view, std::span<std::uint8_t> out, Time now);
  /// Keeps `packet`, the whole answer to `question` in `view`. One without a TTL, or that is truncated or longer than
  /// limits::udp_answer, is not kept.
  void keep(const PlainQuestion& question, std::uint32_t view, ByteView packet, Verdict verdict, Time now);
  void clear();

  [[nodiscard]] std::size_t entries() const { return entries_; }
  [[nodiscard]] std::size_t octets() const { return octets_; }

private:
  struct Slot {
    std::uint64_t hash = 0;
    Time kept{};
    Time expires{};
    std::uint16_t key_size = 0;
    std::uint16_t ttls = 0;  ///< how many
    std::uint16_t packet_size = 0;
    Verdict verdict = Verdict::allowed;
    std::unique_ptr<std::uint8_t[]> octets;  ///< key, places of TTLs, packet
    [[nodiscard]] std::size_t size() const { return key_size + std::size_t{ttls} * 2 + packet_size; }
  };
  struct Key;

  [[nodiscard]] Key key_of(const PlainQuestion& question, std::uint32_t view) const;
  [[nodiscard]] Slot* find(const Key& key);
  [[nodiscard]] Slot& place_for(const Key& key, Time now);
  void drop(Slot& slot);
  void make_room();

  Bounds bounds_;
  Secret secret_;
  std::vector<Slot> slots_;
  std::size_t entries_ = 0;
  std::size_t octets_ = 0;
  std::size_t hand_ = 0;  ///< where make_room() goes on
};

}  // namespace schultor::dns
