// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What schultord hands to other processes is read as strictly as what strangers send.
namespace schultor::policy {

/// None where the text is longer than `longest` octets, nested deeper, or no JSON.
[[nodiscard]] inline std::optional<nlohmann::json> parse_json(std::string_view text, std::size_t longest, int deepest) {
  if (text.size() > longest) return std::nullopt;
  bool too_deep = false;
  const nlohmann::json::parser_callback_t bound = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > deepest;
    return !too_deep;
  };
  auto document = nlohmann::json::parse(text.begin(), text.end(), bound, false);
  if (too_deep || document.is_discarded()) return std::nullopt;
  return document;
}

/// Reads one document; the first thing that is not as it must be is kept, and everything after it yields nothing.
class JsonReader {
public:
  [[nodiscard]] const std::string& fault() const { return fault_; }

  bool has_keys(const nlohmann::json& object, std::initializer_list<const char*> keys, std::string_view what) {
    if (!object.is_object() || object.size() != keys.size()) return refuse("{}: expected an object of {} keys", what, keys.size());
    for (const char* key : keys)
      if (!object.contains(key)) return refuse("{}: “{}” is missing", what, key);
    return true;
  }

  std::string text(const nlohmann::json& value, std::size_t longest, std::string_view what) {
    const auto* held = value.get_ptr<const nlohmann::json::string_t*>();
    if (held != nullptr && held->size() <= longest) return *held;
    refuse("{}: expected a text of at most {} characters", what, longest);
    return {};
  }

  std::uint64_t number(const nlohmann::json& value, std::uint64_t highest, std::string_view what) {
    const auto* held = value.get_ptr<const nlohmann::json::number_unsigned_t*>();
    if (held != nullptr && *held <= highest) return *held;
    refuse("{}: expected a number from 0 to {}", what, highest);
    return 0;
  }

  bool flag(const nlohmann::json& value, std::string_view what) {
    if (value.is_boolean()) return value.get<bool>();
    return refuse("{}: expected true or false", what);
  }

  bool is_list(const nlohmann::json& value, std::size_t most, std::string_view what) {
    if (value.is_array() && value.size() <= most) return true;
    return refuse("{}: expected a list of at most {} entries", what, most);
  }

  /// False, always.
  template <typename... Args>
  bool refuse(fmt::format_string<Args...> format, Args&&... args) {
    if (fault_.empty()) fault_ = fmt::format(format, std::forward<Args>(args)...);
    return false;
  }

private:
  std::string fault_;
};

}  // namespace schultor::policy
