// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/gate_text.hpp"

#include "tools/schultorctl/columns.hpp"

#include <array>
#include <utility>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

/// What became of a question, as it is called in JSON and in the table.
constexpr std::array<std::pair<const char*, const char*>, 11> verdicts{{{"allowed", "ALLOWED"},
                                                                        {"rewritten", "REWRITTEN"},
                                                                        {"refused", "REFUSED"},
                                                                        {"screened", "SCREENED"},
                                                                        {"own", "OWN"},
                                                                        {"steered", "STEERED"},
                                                                        {"no_type", "NO-TYPE"},
                                                                        {"fault", "FAULT"},
                                                                        {"failed", "FAILED"},
                                                                        {"dropped", "DROPPED"},
                                                                        {"ignored", "IGNORED"}}};

std::uint64_t number(const json& object, const char* member) { return object.at(member).get<std::uint64_t>(); }
std::string text(const json& object, const char* member) { return std::to_string(number(object, member)); }

std::string share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

/// "48 µs", "1.2 ms", "4.2 s"; "-" of nothing.
std::string span(const json& microseconds) {
  if (microseconds.is_null()) return "-";
  const auto count = microseconds.get<double>();
  if (count < 1000) return fmt::format("{:.0f} µs", count);
  if (count < 1'000'000) return fmt::format("{:.1f} ms", count / 1000);
  return fmt::format("{:.1f} s", count / 1'000'000);
}

std::string name_of(const json& view) {
  if (const auto& profile = view.at("profile"); !profile.is_null())
    return profile.get<std::string>() + (view.at("steer").get<bool>() ? " (steered)" : "");
  return number(view, "view") == 0 ? "(no view)" : "(other views)";
}

Rows view_rows(const json& views) {
  Rows rows{{"PROFILE", "QUESTIONS", "CACHED"}};
  for (const auto& [member, title] : verdicts) rows.front().emplace_back(title);
  for (const auto& view : views) {
    const auto questions = number(view, "questions");
    rows.push_back({name_of(view), std::to_string(questions), share(number(view, "cached"), questions)});
    for (const auto& [member, title] : verdicts) rows.back().push_back(text(view.at("verdicts"), member));
  }
  return rows;
}

Rows latency_rows(const json& answered) {
  constexpr std::array<std::pair<const char*, const char*>, 3> kinds{
      {{"nothing", "at once"}, {"resolver", "by the resolver"}, {"pins", "after opening addresses"}}};
  Rows rows{{"ANSWERED", "COUNT", "P50", "P99"}};
  for (const auto& [member, title] : kinds) {
    const auto& kind = answered.at(member);
    rows.push_back({title, text(kind, "count"), span(kind.at("p50_us")), span(kind.at("p99_us"))});
  }
  return rows;
}

std::string resolver_text(const json& resolver) {
  const auto& round_trip = resolver.at("round_trip");
  return fmt::format("{} questions, {} answers (p50 {}, p99 {}), {} sent again, {} silent, {} over TCP, {} under way",
                     text(resolver, "questions"), text(resolver, "answers"), span(round_trip.at("p50_us")),
                     span(round_trip.at("p99_us")), text(resolver, "again"), text(resolver, "silent"), text(resolver, "tcp"),
                     text(resolver, "under_way"));
}

std::string pins_text(const json& pins) {
  return fmt::format("{} requests for {} addresses: {} done, {} stale, {} refused, {} failed, {} lost", text(pins, "requests"),
                     text(pins, "addresses"), text(pins, "pinned"), text(pins, "stale"), text(pins, "refused"),
                     text(pins, "failed"), text(pins, "lost"));
}

}  // namespace

base::Result<std::string> gate_statistics_text(const json& statistics) {
  try {
    const bool connected = statistics.at("connected").get<bool>();
    if (statistics.at("since").is_null())
      return std::string(connected ? "the gate has not told anything yet\n"
                                   : "the gate is not connected: schultor-dns is not running\n");
    const auto age = number(statistics, "age");
    Rows head{{"since:", statistics.at("since").get<std::string>()},
              {"gate:", connected ? "connected" : "not connected: schultor-dns is not running"},
              {"waiting:", text(statistics, "waiting")},
              {"resolver:", resolver_text(statistics.at("resolver"))},
              {"pins:", pins_text(statistics.at("pins"))}};
    if (age > 0) head.insert(head.begin() + 1, {"told:", fmt::format("{} s ago", age)});
    return align(head) + "\n" + align(view_rows(statistics.at("views"))) + "\n" + align(latency_rows(statistics.at("answered")));
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

base::Result<std::string> question_log_text(const json& answer) {
  try {
    if (const auto ended = answer.find("ended"); ended != answer.end())
      return std::string(ended->get<bool>() ? "questions are not logged any more\n" : "questions were not logged\n");
    const auto& profile = answer.at("profile");
    return fmt::format("questions of {} are logged until {}: “journalctl -u schultor-dns”\n",
                       profile.is_null() ? "all profiles" : profile.get<std::string>(), answer.at("until").get<std::string>());
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

}  // namespace schultor::ctl
