// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/answer_cache.hpp"

#include "daemon/dns/limits.hpp"

#include <sodium/crypto_shorthash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace schultor::dns {
namespace {

using std::chrono::seconds;

static_assert(std::tuple_size_v<AnswerCache::Secret> == crypto_shorthash_KEYBYTES);
static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));

/// Slots that an answer may lie in.
constexpr std::size_t ways = 4;
constexpr std::size_t head_size = 12;
constexpr std::size_t longest_name = 255;
constexpr std::size_t key_head_size = 7;
constexpr std::uint8_t truncated = 0x02, recursion_desired = 0x01;  // of the third octet

std::uint8_t lower(std::uint8_t octet) { return octet >= 'A' && octet <= 'Z' ? octet | 0x20U : octet; }

/// Where the TTLs of a packet's answer and authority sections stand, and the lowest of them. None without one, or where the packet
/// is not as write_answer() writes it.
struct Ttls {
  std::vector<std::uint16_t> places;
  std::uint32_t lowest = UINT32_MAX;
};
std::optional<Ttls> find_ttls(ByteView packet, std::size_t question_size) {
  WireReader in(packet);
  in.skip(6);
  const std::size_t records = std::size_t{in.u16()} + in.u16();
  in.skip(2 + question_size);
  Ttls ttls;
  for (std::size_t i = 0; i < records && in.ok(); ++i) {
    // Past the owner: labels up to a pointer or the root.
    std::uint8_t length = in.u8();
    for (; length != 0 && (length & 0xc0U) == 0; length = in.u8()) in.skip(length);
    if (length != 0) in.skip(1);
    in.skip(4);
    ttls.places.push_back(static_cast<std::uint16_t>(in.position()));
    ttls.lowest = std::min(ttls.lowest, in.u32());
    in.skip(in.u16());
  }
  if (!in.ok() || ttls.places.empty()) return std::nullopt;
  return ttls;
}

}  // namespace

/// What an answer depends on.
struct AnswerCache::Key {
  std::array<std::uint8_t, key_head_size + longest_name> octets;
  std::uint16_t size = 0;
  std::uint64_t hash = 0;
};

AnswerCache::AnswerCache(const Bounds& bounds, const Secret& secret)
    : bounds_(bounds), secret_(secret), slots_(std::bit_ceil(std::max(bounds.entries, ways))) {}

AnswerCache::Key AnswerCache::key_of(const PlainQuestion& question, std::uint32_t view) const {
  Key key;
  std::memcpy(key.octets.data(), &view, sizeof view);
  std::memcpy(key.octets.data() + 4, &question.type, sizeof question.type);
  key.octets[6] = static_cast<std::uint8_t>((question.authentic_data ? 1U : 0U) | (question.checking_disabled ? 2U : 0U) |
                                            (question.edns ? 4U : 0U) | (question.edns && question.edns->dnssec_ok ? 8U : 0U));
  // Length octets are below 64 and so never letters.
  std::transform(question.name.begin(), question.name.end(), key.octets.begin() + key_head_size, lower);
  key.size = static_cast<std::uint16_t>(key_head_size + question.name.size());
  crypto_shorthash(reinterpret_cast<unsigned char*>(&key.hash), key.octets.data(), key.size, secret_.data());
  return key;
}

AnswerCache::Slot* AnswerCache::find(const Key& key) {
  const std::size_t first = key.hash & (slots_.size() - ways);
  for (std::size_t i = first; i < first + ways; ++i) {
    auto& slot = slots_[i];
    if (slot.octets && slot.hash == key.hash && slot.key_size == key.size &&
        std::memcmp(slot.octets.get(), key.octets.data(), key.size) == 0)
      return &slot;
  }
  return nullptr;
}

AnswerCache::Found AnswerCache::answer(const PlainQuestion& question, std::uint32_t view, std::span<std::uint8_t> out, Time now) {
  auto* slot = find(key_of(question, view));
  if (slot == nullptr || slot->packet_size > out.size()) return {};
  if (now + seconds(1) > slot->expires) {
    drop(*slot);
    return {};
  }
  // Rounded so that no TTL promises more than is left.
  const auto age = static_cast<std::uint32_t>(std::chrono::ceil<seconds>(now - slot->kept).count());
  const auto* places = slot->octets.get() + slot->key_size;
  const auto* packet = places + std::size_t{slot->ttls} * 2;
  std::memcpy(out.data(), packet, slot->packet_size);
  out[0] = static_cast<std::uint8_t>(question.id >> 8);
  out[1] = static_cast<std::uint8_t>(question.id & 0xffU);
  out[2] = static_cast<std::uint8_t>((out[2] & ~recursion_desired) | (question.recursion_desired ? recursion_desired : 0U));
  // Spelt as the tablet spelt it (draft-vixie-dnsext-dns0x20); the answer's own names point here.
  std::memcpy(out.data() + head_size, question.name.data(), question.name.size());
  for (std::size_t i = 0; i < slot->ttls; ++i) {
    std::uint16_t at = 0;
    std::memcpy(&at, places + 2 * i, sizeof at);
    std::uint32_t ttl = 0;
    std::memcpy(&ttl, out.data() + at, sizeof ttl);
    if constexpr (std::endian::native == std::endian::little) ttl = __builtin_bswap32(ttl);
    ttl -= std::min(ttl, age);
    if constexpr (std::endian::native == std::endian::little) ttl = __builtin_bswap32(ttl);
    std::memcpy(out.data() + at, &ttl, sizeof ttl);
  }
  return {slot->packet_size, slot->verdict};
}

void AnswerCache::keep(const PlainQuestion& question, std::uint32_t view, ByteView packet, Verdict verdict, Time now) {
  if (packet.size() > limits::udp_answer || packet.size() < head_size + question.name.size() + 4) return;
  if ((packet[2] & truncated) != 0) return;
  const auto ttls = find_ttls(packet, question.name.size() + 4);
  if (!ttls || ttls->lowest == 0) return;
  const auto key = key_of(question, view);
  auto& slot = place_for(key, now);
  drop(slot);
  slot.hash = key.hash;
  slot.kept = now;
  slot.expires = now + seconds(ttls->lowest);
  slot.key_size = key.size;
  slot.ttls = static_cast<std::uint16_t>(ttls->places.size());
  slot.packet_size = static_cast<std::uint16_t>(packet.size());
  slot.verdict = verdict;
  slot.octets = std::make_unique_for_overwrite<std::uint8_t[]>(slot.size());
  auto* to = std::copy_n(key.octets.data(), key.size, slot.octets.get());
  std::memcpy(to, ttls->places.data(), ttls->places.size() * 2);
  std::copy(packet.begin(), packet.end(), to + ttls->places.size() * 2);
  ++entries_;
  octets_ += slot.size();
  if (octets_ > bounds_.octets) make_room();
}

/// Its own slot, an empty one, or the one that ends soonest.
AnswerCache::Slot& AnswerCache::place_for(const Key& key, Time now) {
  if (auto* known = find(key)) return *known;
  const std::size_t first = key.hash & (slots_.size() - ways);
  auto* soonest = &slots_[first];
  for (std::size_t i = first; i < first + ways; ++i) {
    auto& slot = slots_[i];
    if (!slot.octets || slot.expires <= now) return slot;
    if (slot.expires < soonest->expires) soonest = &slot;
  }
  return *soonest;
}

void AnswerCache::drop(Slot& slot) {
  if (!slot.octets) return;
  octets_ -= slot.size();
  --entries_;
  slot = Slot{};
}

/// Takes from everywhere in turn: what is asked for comes back.
void AnswerCache::make_room() {
  for (std::size_t steps = 0; octets_ > bounds_.octets && steps < slots_.size(); ++steps) {
    drop(slots_[hand_]);
    hand_ = (hand_ + 1) & (slots_.size() - 1);
  }
}

void AnswerCache::clear() {
  for (auto& slot : slots_) slot = Slot{};
  entries_ = octets_ = 0;
}

}  // namespace schultor::dns
