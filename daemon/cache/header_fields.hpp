// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::cache {

/// Octets of ASCII compare alike whatever their case.
[[nodiscard]] bool equal_without_case(std::string_view a, std::string_view b);
/// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// RFC 9110, 5.6.2: what names of fields and directives are made of; at least one octet.
[[nodiscard]] bool is_token(std::string_view text);
/// Nothing that would end a field or begin another (RFC 9110, 5.5): neither control characters, but tabs, nor DEL.
[[nodiscard]] bool is_field_value(std::string_view text);

struct HeaderField {
  std::string name;
  std::string value;
  bool operator==(const HeaderField&) const = default;
};

/// The header section of a message, in the order in which it came. Names are found whatever their case. Bounded, since what is read
/// was written by strangers.
class HeaderFields {
public:
  static constexpr std::size_t most_fields = 200;
  static constexpr std::size_t most_octets = 32U << 10U;

  /// False where the field is not one of RFC 9110, or there is no more room; it is left out then. The value is trimmed.
  bool add(std::string_view name, std::string_view value);
  /// All values of the field, joined with ", " (RFC 9110, 5.3); none where it is missing.
  [[nodiscard]] std::optional<std::string> joined(std::string_view name) const;
  /// The value of a field that is there exactly once.
  [[nodiscard]] std::optional<std::string_view> single(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> first(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return first(name).has_value(); }
  void remove(std::string_view name);
  [[nodiscard]] const std::vector<HeaderField>& all() const { return fields_; }
  void clear();

  bool operator==(const HeaderFields&) const = default;

private:
  std::vector<HeaderField> fields_;
  std::size_t octets_ = 0;
};

/// Adds a field as it stands on a line, "Name: value"; false where it is none, or there is no more room.
bool add_line(HeaderFields& fields, std::string_view line);

/// What a comma-separated list holds, trimmed, without empty members. Quoted strings are kept whole.
[[nodiscard]] std::vector<std::string_view> list_members(std::string_view list);

/// Without the fields that concern one connection alone: those that Connection names and those of RFC 9110, 7.6.1.
[[nodiscard]] HeaderFields end_to_end(const HeaderFields& fields);

}  // namespace schultor::cache
