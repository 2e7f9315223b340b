// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/events.hpp"

#include <date/date.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace schultor::enforce {
namespace {

/// `event` has its kind and what its id begins with: adds the rest of an event that is told in words.
std::string worded(nlohmann::json event, const policy::Policy& policy, base::Instant at, const std::string& text) {
  event["id"] = fmt::format("{}/{}", event["id"].get<std::string>(), instant_in_id(at));
  event["at"] = policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(at));
  event["text"] = text;
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string instant_in_id(base::Instant at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  return at == second ? date::format("%FT%TZ", second) : date::format("%FT%TZ", at);
}

void tell_apart(std::vector<ModeChange>& changes, base::Instant now, std::map<std::string, base::Instant>& told) {
  for (auto& change : changes) {
    auto& last = told[change.group];
    // A clock that was set back makes its own instants.
    if (change.at <= last && last <= now) change.at = std::max(now, last + std::chrono::microseconds{1});
    last = change.at;
  }
}

std::string mode_event(const policy::Policy& policy, const ModeChange& change) {
  nlohmann::json event{{"id", fmt::format("mode/{}/{}", change.group, instant_in_id(change.at))},
                       {"kind", "mode"},
                       {"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(change.at))},
                       {"group", change.group},
                       {"profile", change.holding.profile},
                       {"because", policy::to_string(change.holding.because)},
                       {"text", change.holding.text}};
  if (!change.previous.empty()) event["previous"] = change.previous;
  return event.dump();
}

std::vector<std::string> in_short(std::vector<std::string> errors) {
  const auto count = errors.size();
  if (count <= most_told_errors) return errors;
  errors.resize(most_told_errors - 1);
  errors.push_back(fmt::format("and {} more", count - errors.size()));
  return errors;
}

std::string configuration_event(const policy::Policy& policy, base::Instant at, const std::vector<std::string>& errors) {
  const std::string result = errors.empty() ? "applied" : "refused";
  nlohmann::json event{{"id", fmt::format("configuration/{}/{}", result, instant_in_id(at))},
                       {"kind", "configuration"},
                       {"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(at))},
                       {"result", result},
                       {"revision", policy.revision}};
  if (!errors.empty()) event["errors"] = in_short(errors);
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string clock_event(const policy::Policy& policy, base::Instant at, bool trusted) {
  const char* result = trusted ? "trusted" : "untrusted";
  return nlohmann::json{{"id", fmt::format("clock/{}/{}", result, instant_in_id(at))},
                        {"kind", "clock"},
                        {"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(at))},
                        {"result", result},
                        {"text", trusted ? "the clock is right: what the rules say holds"
                                         : "the clock is not known to be right: what is configured for that holds"}}
      .dump();
}

std::string question_log_event(const policy::Policy& policy, base::Instant at, bool begun, const QuestionLog& about,
                               const std::string& by) {
  const char* result = begun ? "begun" : "ended";
  nlohmann::json event{{"id", fmt::format("debug/{}/{}", result, instant_in_id(at))},
                       {"kind", "debug"},
                       {"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(at))},
                       {"result", result},
                       {"until", policy::format_local(policy, about.until)},
                       {"by", by},
                       {"text", begun ? "the DNS gate writes questions to its journal, without who asks them"
                                      : "the DNS gate writes no questions to its journal any more"}};
  if (about.profile) event["profile"] = *about.profile;
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string fault_event(const policy::Policy& policy, base::Instant at, const std::string& what, const std::string& text) {
  return worded({{"id", "fault/" + what}, {"kind", "fault"}}, policy, at, text);
}

std::string tampering_event(const policy::Policy& policy, base::Instant at, const std::string& what, const std::string& text) {
  return worded({{"id", "tampering/" + what}, {"kind", "tampering"}}, policy, at, text);
}

void EventLog::add(base::Instant at, std::string event) {
  octets_ += event.size();
  events_.push_back({at, std::move(event)});
  while (events_.size() > most || (octets_ > most_octets && events_.size() > 1)) {
    octets_ -= events_.front().event.size();
    events_.pop_front();
  }
}

std::vector<std::string> EventLog::all() const {
  std::vector<const Entry*> entries;
  for (const auto& entry : events_) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) { return a->at < b->at; });
  std::vector<std::string> events;
  for (const auto* entry : entries) events.push_back(entry->event);
  return events;
}

}  // namespace schultor::enforce
