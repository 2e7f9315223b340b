// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/event_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// A member as text; empty where there is none.
std::string text_of(const json& event, const char* member) {
  const auto found = event.find(member);
  if (found == event.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : dumped(*found);
}

std::string what_of_mode(const json& event) {
  const auto previous = text_of(event, "previous");
  return fmt::format("{}: {}{} ({})", text_of(event, "group"), previous.empty() ? "" : previous + " → ", text_of(event, "profile"),
                     text_of(event, "text"));
}

std::string what_of_override(const json& event) {
  const auto group = text_of(event, "group");
  const auto result = text_of(event, "result");
  auto text = fmt::format("{}: {} until {}, {}", group.empty() ? "all groups" : group, text_of(event, "profile"),
                          text_of(event, "until"), result == "ending" ? "ends soon" : result);
  const auto by = text_of(event, "by");
  // An end comes by itself: who set it is not who ended it.
  if (!by.empty()) text += fmt::format("{}{}", result == "ended" || result == "ending" ? ", set by " : " by ", by);
  if (const auto reason = text_of(event, "reason"); !reason.empty()) text += fmt::format(" ({})", reason);
  return text;
}

std::string what_of_configuration(const json& event) {
  if (text_of(event, "result") == "applied") return "applied, revision " + text_of(event, "revision");
  auto text = text_of(event, "result");
  const auto errors = event.find("errors");
  if (errors == event.end() || !errors->is_array() || errors->empty() || !errors->front().is_string()) return text;
  // All errors of a directory may stand in one text.
  auto first = errors->front().get<std::string>();
  auto more = errors->size() - 1 + static_cast<std::size_t>(std::count(first.begin(), first.end(), '\n'));
  first.erase(std::min(first.find('\n'), first.size()));
  text += ": " + first;
  return more == 0 ? text : fmt::format("{} (and {} more)", text, more);
}

std::string what_of_debug(const json& event) {
  const auto profile = text_of(event, "profile");
  const bool begun = text_of(event, "result") == "begun";
  auto text =
      fmt::format("questions of {} are {}", profile.empty() ? "all profiles" : profile, begun ? "logged" : "not logged any more");
  if (begun) text += " until " + text_of(event, "until");
  const auto by = text_of(event, "by");
  return begun && !by.empty() ? text + ", by " + by : text;
}

std::string what_of_anything(json event) {
  for (const auto* member : {"id", "kind", "at"}) event.erase(member);
  return dumped(event);
}

std::string what_of(const json& event) {
  const auto kind = text_of(event, "kind");
  if (kind == "mode") return what_of_mode(event);
  if (kind == "override") return what_of_override(event);
  if (kind == "debug") return what_of_debug(event);
  if (kind == "configuration") return what_of_configuration(event);
  const auto text = text_of(event, "text");
  return text.empty() ? what_of_anything(event) : text;
}

}  // namespace

std::string event_text(const json& event) {
  if (!event.is_object()) return dumped(event);
  auto line = fmt::format("{}  {:<13}  {}", text_of(event, "at"), text_of(event, "kind"), what_of(event));
  // One event, one line, whatever it holds.
  for (auto& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

}  // namespace schultor::ctl
