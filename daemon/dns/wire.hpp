// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The DNS wire format (RFC 1035): a bounded reader and a bounded writer. Pure.
namespace schultor::dns {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// A domain name as on the wire, uncompressed: labels with their lengths, the root's at the end; at most 255 octets.
/// Its case is kept.
class Name {
public:
  Name() : wire_(1, '\0') {}
  /// `wire` is well formed; see WireReader::name() and name_from_text().
  static Name from_wire(std::string wire) { return Name(std::move(wire)); }

  [[nodiscard]] ByteView wire() const { return {reinterpret_cast<const std::uint8_t*>(wire_.data()), wire_.size()}; }
  /// Octet for octet, case included.
  bool operator==(const Name&) const = default;
  /// As RFC 4343 compares names: ASCII letters without their case.
  [[nodiscard]] bool same_as(const Name& other) const;
  /// Lower case, labels joined by dots, no trailing dot; empty for the root. What is no printable ASCII, and a dot or
  /// backslash within a label, is written \DDD, so that different names never read alike.
  [[nodiscard]] std::string lower_text() const;

private:
  explicit Name(std::string wire) : wire_(std::move(wire)) {}
  std::string wire_;
};

/// From "a.b.c", with or without a trailing dot and without escapes; none when a label or the name is too long or empty.
[[nodiscard]] std::optional<Name> name_from_text(std::string_view text);

/// A cursor over a packet with a sticky error: what is read beyond the end, or after anything that was malformed, is zero
/// or empty, and ok() stays false. Read a whole structure, then ask once (Knot DNS: wire_ctx).
class WireReader {
public:
  explicit WireReader(ByteView packet) : packet_(packet), end_(packet.size()) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t left() const noexcept { return end_ - position_; }

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  /// The next `count` octets, borrowed from the packet.
  ByteView bytes(std::size_t count);
  void skip(std::size_t count) { bytes(count); }
  /// A name, decompressed. Compression pointers must point strictly backwards of where the name or the last pointer's
  /// target began, so that none loops.
  Name name();
  /// A reader over the next `count` octets whose names may still point into the whole packet; this one moves past them.
  WireReader part(std::size_t count);
  void fail() noexcept;

private:
  ByteView packet_;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
  bool ok_ = true;
};

/// Writes a packet up to a limit; what does not fit sets a sticky error.
class WireWriter {
public:
  explicit WireWriter(std::size_t limit) : limit_(limit) { packet_.reserve(limit < 512 ? limit : 512); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t size() const noexcept { return packet_.size(); }

  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void bytes(ByteView bytes);
  /// Compressed to a pointer when the very same name, without regard to case, was written before.
  void name(const Name& name);
  /// Overwrites two octets written before.
  void patch_u16(std::size_t position, std::uint16_t value);
  /// Back to `size` octets, without error: for leaving out what did not fit.
  void rewind(std::size_t size);

  Bytes take() { return std::move(packet_); }

private:
  [[nodiscard]] bool fits(std::size_t count);

  Bytes packet_;
  std::size_t limit_;
  bool ok_ = true;
  std::vector<std::pair<Name, std::size_t>> names_;  // with where they begin
};

}  // namespace schultor::dns
