// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/wire.hpp"

#include <algorithm>
#include <array>

namespace schultor::dns {
namespace {

/// Octets that hold most names: memory is asked for once.
constexpr std::size_t usual_name = 63;

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_label = 63;
constexpr std::size_t furthest_pointer = 0x3fff;
// Enough for every chain that a server writes: each name's tail is at most one pointer per label.
constexpr int most_pointers = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool Name::same_as(const Name& other) const {
  // Length octets are below 64 and so never letters.
  return std::equal(wire_.begin(), wire_.end(), other.wire_.begin(), other.wire_.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string Name::lower_text() const {
  std::string text;
  text.reserve(wire_.size());
  std::size_t position = 0;
  while (position < wire_.size() && wire_[position] != '\0') {
    if (!text.empty()) text += '.';
    const auto length = static_cast<std::size_t>(wire_[position]);
    for (const char c : std::string_view(wire_).substr(position + 1, length)) {
      const auto octet = static_cast<unsigned char>(c);
      if (octet > ' ' && octet < 0x7f && c != '.' && c != '\\') {
        text += lower(c);
      } else {
        const std::array<char, 4> escape{'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                                         static_cast<char>('0' + octet % 10)};
        text.append(escape.data(), escape.size());
      }
    }
    position += 1 + length;
  }
  return text;
}

std::optional<Name> name_from_text(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  std::string wire;
  while (!text.empty()) {
    const auto label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > longest_label) return std::nullopt;
    wire += static_cast<char>(label.size());
    wire += label;
    text.remove_prefix(label.size());
    if (text == ".") return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);
  }
  wire += '\0';
  if (wire.size() > longest_name) return std::nullopt;
  return Name::from_wire(std::move(wire));
}

void WireReader::fail() noexcept {
  ok_ = false;
  position_ = end_;
}

ByteView WireReader::bytes(std::size_t count) {
  if (!ok_ || count > left()) {
    fail();
    return {};
  }
  const auto view = packet_.subspan(position_, count);
  position_ += count;
  return view;
}

std::uint8_t WireReader::u8() {
  const auto raw = bytes(1);
  return ok_ ? raw[0] : std::uint8_t{0};
}

std::uint16_t WireReader::u16() {
  const auto raw = bytes(2);
  return ok_ ? static_cast<std::uint16_t>(raw[0] << 8 | raw[1]) : std::uint16_t{0};
}

std::uint32_t WireReader::u32() {
  const std::uint32_t high = u16();
  const std::uint32_t low = u16();
  return ok_ ? high << 16 | low : 0U;
}

Name WireReader::name() {
  std::string wire;
  wire.reserve(usual_name);
  std::size_t at = position_;
  std::size_t bound = end_;          // until the first pointer the name lies within this part
  std::size_t earliest = position_;  // a pointer's target lies before this
  bool jumped = false;
  int pointers = 0;
  while (ok_) {
    if (at >= bound) break;
    const std::size_t length = packet_[at];
    if (length == 0) {
      wire += '\0';
      if (!jumped) position_ = at + 1;
      return Name::from_wire(std::move(wire));
    }
    if ((length & 0xc0U) == 0xc0U) {
      if (at + 1 >= bound) break;
      const std::size_t target = (length & 0x3fU) << 8 | packet_[at + 1];
      if (target >= earliest || ++pointers > most_pointers) break;
      if (!jumped) position_ = at + 2;
      jumped = true;
      at = earliest = target;
      bound = packet_.size();
      continue;
    }
    // One octet is left for the root.
    if (length > longest_label || at + 1 + length > bound || wire.size() + 1 + length + 1 > longest_name) break;
    wire.append(reinterpret_cast<const char*>(&packet_[at]), 1 + length);
    at += 1 + length;
  }
  fail();
  return {};
}

WireReader WireReader::part(std::size_t count) {
  WireReader inner(*this);
  bytes(count);
  if (!ok_) inner.fail();
  else inner.end_ = position_;
  return inner;
}

bool WireWriter::fits(std::size_t count) {
  if (packet_.size() + count > limit_) ok_ = false;
  return ok_;
}

void WireWriter::u8(std::uint8_t value) {
  if (fits(1)) packet_.push_back(value);
}

void WireWriter::u16(std::uint16_t value) {
  if (!fits(2)) return;
  packet_.push_back(static_cast<std::uint8_t>(value >> 8));
  packet_.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

void WireWriter::u32(std::uint32_t value) {
  if (!fits(4)) return;
  u16(static_cast<std::uint16_t>(value >> 16));
  u16(static_cast<std::uint16_t>(value & 0xffffU));
}

void WireWriter::bytes(ByteView bytes) {
  if (fits(bytes.size())) packet_.insert(packet_.end(), bytes.begin(), bytes.end());
}

void WireWriter::name(const Name& name) {
  for (const auto& [known, position] : names_)
    if (known.same_as(name)) return u16(static_cast<std::uint16_t>(0xc000U | position));
  if (!fits(name.wire().size())) return;
  // A pointer to the root would be longer than the root.
  if (packet_.size() <= furthest_pointer && name.wire().size() > 2) names_.emplace_back(name, packet_.size());
  bytes(name.wire());
}

void WireWriter::patch_u16(std::size_t position, std::uint16_t value) {
  if (position + 2 > packet_.size()) return;
  packet_[position] = static_cast<std::uint8_t>(value >> 8);
  packet_[position + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

void WireWriter::rewind(std::size_t size) {
  packet_.resize(std::min(size, packet_.size()));
  std::erase_if(names_, [&](const auto& known) { return known.second >= packet_.size(); });
  ok_ = true;
}

}  // namespace schultor::dns
