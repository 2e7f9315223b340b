// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/messages.hpp"

#include "daemon/base/address.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace schultor::report {
namespace {

using base::fail;
using base::Result;
using nlohmann::json;

constexpr int deepest = 8;

/// nlohmann::json parses without recursion but writes and frees with it: depth is judged before anything is built.
bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[') && ++depth > deepest) return true;
    else if (!quoted && (c == '}' || c == ']')) --depth;
  }
  return false;
}

Result<json> parse_object(std::string_view text, std::size_t largest) {
  if (text.size() > largest) return fail("{} bytes of JSON, expected at most {}", text.size(), largest);
  if (nests_too_deep(text)) return fail("JSON nested deeper than {} levels", deepest);
  auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return fail("this is no JSON object");
  return parsed;
}

/// Collects the first thing that is wrong, so that many members can be read and judged once.
class Reader {
public:
  explicit Reader(const json& object) : object_(object) {}

  std::string text(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_string()) return refuse(name, "a string");
    const auto& value = found->get_ref<const std::string&>();
    const bool plain =
        std::none_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (value.empty() || value.size() > longest_text || !plain) return refuse(name, "1 to 200 bytes without control characters");
    return value;
  }
  std::uint64_t number(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_number_unsigned()) return found->get<std::uint64_t>();
    refuse(name, "a number");
    return 0;
  }
  /// Of the two kinds that a value may be absent in: missing and null.
  bool has(const char* name) const {
    const auto found = object_.find(name);
    return found != object_.end() && !found->is_null();
  }
  bool flag(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_boolean()) return found->get<bool>();
    refuse(name, "true or false");
    return false;
  }
  const json* member(const char* name, json::value_t type, const char* expected) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->type() == type) return &*found;
    refuse(name, expected);
    return nullptr;
  }
  std::string refuse(const char* name, const char* expected) {
    if (wrong_.empty()) wrong_ = fmt::format("“{}” is missing or wrong, expected {}", name, expected);
    return {};
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
  const json& object_;
  std::string wrong_;
};

Result<GroupFacts> read_group(const json& object) {
  if (!object.is_object()) return fail("a group is no object");
  Reader reader(object);
  GroupFacts group{reader.text("name"), reader.text("profile"), reader.text("because"), std::nullopt, std::nullopt};
  if (reader.has("since")) group.since = reader.text("since");
  if (reader.has("until")) group.until = reader.text("until");
  if (!reader.wrong().empty()) return fail("a group: {}", reader.wrong());
  return group;
}

/// Sums over all profiles, by the first word of each counter's name.
Result<GatewayFacts::Traffic> read_counters(const json& counters) {
  if (counters.size() > most_counters) return fail("{} counters, expected at most {}", counters.size(), most_counters);
  GatewayFacts::Traffic traffic;
  for (const auto& [name, packets] : counters.items()) {
    if (!packets.is_number_unsigned()) return fail("a counter is no number");
    if (name.starts_with("refused")) traffic.refused += packets.get<std::uint64_t>();
    if (name.starts_with("admitted")) traffic.admitted += packets.get<std::uint64_t>();
  }
  return traffic;
}

/// Of all groups; nothing where of one it is not known.
Result<std::optional<std::uint64_t>> read_online(const json& groups) {
  std::uint64_t sum = 0;
  for (const auto& group : groups) {
    Reader reader(group);
    if (!reader.has("online")) return std::optional<std::uint64_t>();
    sum += reader.number("online");
    if (!reader.wrong().empty()) return fail("a group: {}", reader.wrong());
  }
  return std::optional(sum);
}

/// What an older schultord does not tell is not known.
Result<void> read_kernel(const json& object, GatewayFacts& facts) {
  Reader reader(object);
  if (reader.has("connections")) {
    const auto* table = reader.member("connections", json::value_t::object, "an object");
    if (table == nullptr) return fail("{}", reader.wrong());
    Reader table_reader(*table);
    facts.connections_percent = table_reader.number("percent");
    if (!table_reader.wrong().empty()) return fail("connections: {}", table_reader.wrong());
  }
  if (reader.has("ruleset")) {
    const auto* ruleset = reader.member("ruleset", json::value_t::object, "an object");
    if (ruleset == nullptr) return fail("{}", reader.wrong());
    Reader ruleset_reader(*ruleset);
    facts.ruleset_in_force = ruleset_reader.flag("in_force");
    if (!ruleset_reader.wrong().empty()) return fail("ruleset: {}", ruleset_reader.wrong());
  }
  if (reader.has("counters")) {
    const auto* counters = reader.member("counters", json::value_t::object, "an object");
    if (counters == nullptr) return fail("{}", reader.wrong());
    auto traffic = read_counters(*counters);
    if (!traffic) return base::pass(std::move(traffic));
    facts.traffic = *traffic;
  }
  if (!reader.has("settings")) return {};
  const auto* settings = reader.member("settings", json::value_t::array, "an array");
  if (settings == nullptr || settings->size() > most_settings) return fail("settings are no array of at most {}", most_settings);
  auto& names = facts.settings_wrong.emplace();
  for (const auto& setting : *settings) {
    if (!setting.is_object()) return fail("a setting is no object");
    Reader setting_reader(setting);
    names.push_back(setting_reader.text("name"));
    if (!setting_reader.wrong().empty()) return fail("a setting: {}", setting_reader.wrong());
  }
  return {};
}

Result<void> read_cache(const json& object, GatewayFacts& facts) {
  Reader reader(object);
  const auto* origins = reader.member("origins", json::value_t::array, "an array");
  if (origins == nullptr || origins->size() > most_origins) return fail("origins are no array of at most {}", most_origins);
  auto& names = facts.origins_unwell.emplace();
  for (const auto& origin : *origins) {
    if (!origin.is_object()) return fail("an origin is no object");
    Reader origin_reader(origin);
    auto name = origin_reader.text("name");
    const bool well = origin_reader.flag("well");
    if (!origin_reader.wrong().empty()) return fail("an origin: {}", origin_reader.wrong());
    if (!well) names.push_back(std::move(name));
  }
  return {};
}

/// The length of the MAC address that starts at `at`; 0 where none does.
std::size_t mac_length(std::string_view text, std::size_t at) {
  for (const auto& [length, separator] : {std::pair<std::size_t, std::size_t>{17, 2}, {14, 4}}) {
    if (at + length > text.size()) continue;
    const char between = text[at + separator];
    if (between != ':' && between != '-' && between != '.') continue;
    if (base::parse_mac(text.substr(at, length))) return length;
  }
  return 0;
}

std::string text_without_devices(std::string_view text) {
  constexpr std::string_view roster = "roster.csv:";
  if (const auto found = text.find(roster); found != std::string_view::npos) {
    // A line of the roster may hold a child's name: the place is enough for whoever mends it, in the school.
    const auto end = text.find_first_not_of("0123456789:", found + roster.size());
    return std::string(text.substr(found, end == std::string_view::npos ? end : end - found)) +
           " (what it says stays in the school)";
  }
  std::string kept;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = mac_length(text, i);
    if (length > 0) kept += "(a device)";
    else kept += text[i];
    i += std::max<std::size_t>(length, 1);
  }
  return kept;
}

json without_devices(const json& value) {
  if (value.is_string()) return text_without_devices(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  json kept = value;
  for (auto& item : kept) item = without_devices(item);
  return kept;
}

/// The first errors, and how many more there are: the city need not mend them, and its broker bounds what it takes.
void shorten_errors(json& event) {
  constexpr std::size_t longest_error = 500;
  const auto errors = event.find("errors");
  if (errors == event.end() || !errors->is_array()) return;
  if (const auto count = errors->size(); count > most_errors) {
    errors->erase(errors->begin() + most_errors, errors->end());
    errors->push_back(fmt::format("and {} more", count - most_errors));
  }
  for (auto& error : *errors)
    if (error.is_string() && error.get_ref<const std::string&>().size() > longest_error)
      error = error.get_ref<const std::string&>().substr(0, longest_error) + "…";
}

/// What may leave the school in an event. A kind that has more to say adds its members here.
constexpr std::array<const char*, 14> event_members{"id",   "kind",   "at",       "group",  "profile", "previous", "because",
                                                    "text", "result", "revision", "errors", "since",   "until",    "list"};

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

const char* to_string(OutboxHealth health) {
  return health == OutboxHealth::ok ? "ok" : health == OutboxHealth::full ? "full" : "failed";
}

}  // namespace

std::string state_topic(std::string_view school) { return fmt::format("schultor/1/{}/state", school); }

std::string telemetry_topic(std::string_view school) { return fmt::format("schultor/1/{}/telemetry", school); }

std::string event_topic(std::string_view school, std::string_view kind) {
  return fmt::format("schultor/1/{}/event/{}", school, kind);
}

std::string offline_payload() { return R"({"online":false})"; }

Result<GatewayFacts> parse_description(std::string_view text) {
  auto object = parse_object(text, largest_description);
  if (!object) return base::pass(std::move(object));
  Reader reader(*object);
  GatewayFacts facts;
  facts.version = reader.text("version");
  facts.time = reader.text("time");
  facts.applied = reader.text("applied");
  facts.policy_revision = reader.number("policy_revision");
  const auto* gate = reader.member("gate", json::value_t::object, "an object");
  const auto* groups = reader.member("groups", json::value_t::array, "an array");
  if (!reader.wrong().empty()) return fail("{}", reader.wrong());

  Reader gate_reader(*gate);
  facts.gate_connected = gate_reader.flag("connected");
  if (gate_reader.has("resolver_answers")) facts.resolver_answers = gate_reader.flag("resolver_answers");
  if (!gate_reader.wrong().empty()) return fail("gate: {}", gate_reader.wrong());
  if (reader.has("kernel")) {
    const auto* kernel = reader.member("kernel", json::value_t::object, "an object");
    if (kernel == nullptr) return fail("{}", reader.wrong());
    if (auto read = read_kernel(*kernel, facts); !read) return base::pass(std::move(read), "kernel");
  }
  if (reader.has("cache")) {
    const auto* cache = reader.member("cache", json::value_t::object, "an object");
    if (cache == nullptr) return fail("{}", reader.wrong());
    if (auto read = read_cache(*cache, facts); !read) return base::pass(std::move(read), "cache");
  }
  if (groups->size() > most_groups) return fail("{} groups, expected at most {}", groups->size(), most_groups);
  for (const auto& object_of_group : *groups) {
    auto group = read_group(object_of_group);
    if (!group) return base::pass(std::move(group));
    facts.groups.push_back(std::move(*group));
  }
  auto online = read_online(*groups);
  if (!online) return base::pass(std::move(online));
  facts.online = *online;
  return facts;
}

std::string compose_state(std::string_view school, const std::optional<GatewayFacts>& facts, bool gateway_runs,
                          OutboxHealth outbox) {
  json health{{"schultord", gateway_runs}, {"outbox", to_string(outbox)}};
  json versions = json::object();
  json state{{"online", true}, {"school", school}, {"groups", json::array()}};
  if (facts) {
    for (const auto& group : facts->groups)
      state["groups"].push_back({{"name", group.name},
                                 {"profile", group.profile},
                                 {"because", group.because},
                                 {"since", group.since ? json(*group.since) : json(nullptr)},
                                 {"until", group.until ? json(*group.until) : json(nullptr)}});
    health["gate"] = facts->gate_connected;
    health["resolver"] = facts->resolver_answers ? json(*facts->resolver_answers) : json(nullptr);
    health["applied"] = facts->applied;
    health["settings"] = facts->settings_wrong ? json(*facts->settings_wrong) : json(nullptr);
    health["ruleset"] = facts->ruleset_in_force ? json(*facts->ruleset_in_force) : json(nullptr);
    health["connections"] = facts->connections_percent ? json(*facts->connections_percent) : json(nullptr);
    health["cache"] = facts->origins_unwell ? json(*facts->origins_unwell) : json(nullptr);
    versions["schultor"] = facts->version;
    state["time"] = facts->time;
    state["policy_revision"] = facts->policy_revision;
  }
  state["health"] = std::move(health);
  state["versions"] = std::move(versions);
  return dump(state);
}

Result<EventMessage> compose_event(std::string_view text) {
  auto object = parse_object(text, largest_event);
  if (!object) return base::pass(std::move(object));
  json leaving = json::object();
  for (const auto* name : event_members)
    if (const auto found = object->find(name); found != object->end()) leaving[name] = without_devices(*found);
  shorten_errors(leaving);
  Reader reader(leaving);
  EventMessage event{reader.text("id"), reader.text("kind"), {}};
  reader.text("at");
  if (!reader.wrong().empty()) return fail("{}", reader.wrong());
  // The kind is a level of the topic: no "/", "+" or "#" may come in through it.
  const bool is_level =
      std::all_of(event.kind.begin(), event.kind.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  if (!is_level || event.kind.size() > 32)
    return fail("the kind of event “{}” is none, expected at most 32 of a-z and -", event.id);
  event.payload = dump(leaving);
  return event;
}

}  // namespace schultor::report
