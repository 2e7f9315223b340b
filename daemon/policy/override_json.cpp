// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/override.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace schultor::policy {
namespace {

using nlohmann::json;
using std::chrono::sys_seconds;

constexpr std::size_t longest_json = 8U << 20U;
constexpr std::size_t longest_name = 512;
constexpr int deepest = 4;
/// The end of the year 9999: no instant of ours lies beyond, whatever a clock shows.
constexpr std::int64_t last_second = 253'402'300'799;
/// Beside the overrides, a lift for each group.
constexpr std::size_t most_listed = 2 * most_overrides;

std::int64_t seconds_of(sys_seconds at) { return at.time_since_epoch().count(); }

/// Reads members of one object; the first that is not as it must be is kept.
class Members {
public:
  explicit Members(const json& object) : object_(object) {}

  std::string text(const char* name, std::size_t longest) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_string() && found->get_ref<const std::string&>().size() <= longest) return *found;
    fault(name, fmt::format("a text of at most {} octets", longest));
    return {};
  }
  std::uint64_t number(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_number_unsigned()) return *found;
    fault(name, "a number from 0 up");
    return 0;
  }
  sys_seconds instant(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_number_integer())
      if (const auto count = found->get<std::int64_t>(); count >= 0 && count <= last_second)
        return sys_seconds{std::chrono::seconds{count}};
    fault(name, "seconds since 1970");
    return {};
  }
  [[nodiscard]] bool is_null(const char* name) const {
    const auto found = object_.find(name);
    return found != object_.end() && found->is_null();
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

private:
  void fault(const char* name, const std::string& expected) {
    if (fault_.empty()) fault_ = fmt::format("“{}”: expected {}", name, expected);
  }

  const json& object_;
  std::string fault_;
};

base::Result<Override> read_override(const json& object) {
  if (!object.is_object()) return base::fail("an override is no object");
  Members members(object);
  Override one;
  one.id = members.number("id");
  if (!members.is_null("group")) one.group = members.text("group", longest_name);
  one.profile = members.text("profile", longest_name);
  one.from = members.instant("from");
  one.until = members.instant("until");
  one.reason = members.text("reason", longest_reason);
  one.by = members.text("by", longest_name);
  if (!members.fault().empty()) return base::fail("{}", members.fault());
  if (one.until <= one.from) return base::fail("override {} ends before it starts", one.id);
  return one;
}

base::Result<std::vector<Told>> read_told(const json& document) {
  std::vector<Told> told;
  const auto list = document.find("told");
  if (list == document.end()) return told;
  if (!list->is_array() || list->size() > most_told) return base::fail("“told”: expected a list of at most {}", most_told);
  for (const auto& object : *list) {
    if (!object.is_object()) return base::fail("“told”: expected objects");
    Members members(object);
    told.push_back({members.instant("at"), members.text("event", longest_told)});
    if (!members.fault().empty()) return base::fail("“told”: {}", members.fault());
  }
  return told;
}

/// The library frees with recursion: depth is judged while it reads.
json parse(std::string_view text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= deepest; };
  return json::parse(text, shallow, false);
}

}  // namespace

std::string to_json(const KeptOverrides& kept) {
  json list = json::array();
  for (const auto& one : kept.overrides)
    list.push_back({{"id", one.id},
                    {"group", one.group ? json(*one.group) : json(nullptr)},
                    {"profile", one.profile},
                    {"from", seconds_of(one.from)},
                    {"until", seconds_of(one.until)},
                    {"reason", one.reason},
                    {"by", one.by}});
  json told = json::array();
  for (const auto& one : kept.told) told.push_back({{"at", seconds_of(one.at)}, {"event", one.event}});
  const json document{{"last_id", kept.last_id}, {"overrides", std::move(list)}, {"told", std::move(told)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<KeptOverrides> overrides_from_json(std::string_view text) {
  if (text.size() > longest_json) return base::fail("larger than {} octets", longest_json);
  const auto document = parse(text);
  if (!document.is_object()) return base::fail("not a JSON object");
  Members members(document);
  KeptOverrides kept;
  kept.last_id = members.number("last_id");
  if (!members.fault().empty()) return base::fail("{}", members.fault());
  const auto list = document.find("overrides");
  if (list == document.end() || !list->is_array() || list->size() > most_listed)
    return base::fail("“overrides”: expected a list of at most {}", most_listed);
  std::set<std::uint64_t> ids;
  for (const auto& object : *list) {
    auto one = read_override(object);
    if (!one) return base::pass(std::move(one));
    if (one->id == 0 || one->id > kept.last_id || !ids.insert(one->id).second)
      return base::fail("override {}: expected ids from 1 to last_id, each once", one->id);
    kept.overrides.push_back(std::move(*one));
  }
  auto told = read_told(document);
  if (!told) return base::pass(std::move(told));
  kept.told = std::move(*told);
  return kept;
}

}  // namespace schultor::policy
