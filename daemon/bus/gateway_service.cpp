// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/gateway_service.hpp"

#include "daemon/base/version.hpp"
#include "daemon/bus/authority.hpp"
#include "daemon/bus/service_manager.hpp"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace schultor::bus {
namespace {

constexpr const char* bus_name = "org.schultor.Gateway1";
constexpr const char* root_path = "/org/schultor/Gateway1";
constexpr const char* group_prefix = "/org/schultor/Gateway1/group";
constexpr const char* manager_interface = "org.schultor.Gateway1.Manager";
constexpr const char* group_interface = "org.schultor.Gateway1.Group";
constexpr const char* override_refused = "org.schultor.Gateway1.Error.OverrideRefused";
constexpr const char* question_log_refused = "org.schultor.Gateway1.Error.QuestionLogRefused";
/// What a caller may have kept in memory while polkit thinks; the gateway's own limits are narrower, and say so better.
constexpr std::size_t longest_argument = 1024;

struct FlushClose {
  void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
};
struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};
using Path = std::unique_ptr<char, Free>;

Path path_of(const std::string& group) {
  char* path = nullptr;
  return Path(sd_bus_path_encode(group_prefix, group.c_str(), &path) < 0 ? nullptr : path);
}

/// What the objects on the bus lead to.
struct Offer {
  enforce::Gateway& gateway;
  Authority authority;
  bool described = false;  ///< somebody has asked since it was last made false
};

Offer& offer_of(void* userdata) { return *static_cast<Offer*>(userdata); }
enforce::Gateway& gateway_of(void* userdata) { return offer_of(userdata).gateway; }

std::uint64_t microseconds(std::chrono::sys_seconds at) {
  return static_cast<std::uint64_t>(std::chrono::microseconds(at.time_since_epoch()).count());
}

int reply_text(sd_bus_message* call, const std::string& text) { return sd_bus_reply_method_return(call, "s", text.c_str()); }

int on_describe(sd_bus_message* call, void* userdata, sd_bus_error*) {
  offer_of(userdata).described = true;
  return reply_text(call, gateway_of(userdata).describe());
}
int on_ruleset(sd_bus_message* call, void* userdata, sd_bus_error*) { return reply_text(call, gateway_of(userdata).ruleset()); }

/// Answered when the gate has told: nothing waits for it.
int on_gate_statistics(sd_bus_message* call, void* userdata, sd_bus_error*) {
  const std::shared_ptr<sd_bus_message> held(sd_bus_message_ref(call), [](sd_bus_message* one) { sd_bus_message_unref(one); });
  gateway_of(userdata).gate_statistics([held](const std::string& json) { reply_text(held.get(), json); });
  return 1;
}

int reply_texts(sd_bus_message* call, std::vector<std::string> lines) {
  std::vector<char*> texts;
  texts.reserve(lines.size() + 1);
  for (auto& line : lines) texts.push_back(line.data());
  texts.push_back(nullptr);
  sd_bus_message* reply = nullptr;
  int r = sd_bus_message_new_method_return(call, &reply);
  if (r >= 0) r = sd_bus_message_append_strv(reply, texts.data());
  if (r >= 0) r = sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
  return r;
}

int on_list_events(sd_bus_message* call, void* userdata, sd_bus_error*) { return reply_texts(call, gateway_of(userdata).events()); }

int on_list_groups(sd_bus_message* call, void* userdata, sd_bus_error*) {
  sd_bus_message* reply = nullptr;
  int r = sd_bus_message_new_method_return(call, &reply);
  if (r >= 0) r = sd_bus_message_open_container(reply, 'a', "(so)");
  for (const auto& group : gateway_of(userdata).status().groups)
    if (const auto path = path_of(group.name); r >= 0) r = sd_bus_message_append(reply, "(so)", group.name.c_str(), path.get());
  if (r >= 0) r = sd_bus_message_close_container(reply);
  if (r >= 0) r = sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
  return r;
}

int on_reload(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto reload = [&gateway](sd_bus_message* allowed, const std::string&) {
    if (const auto done = gateway.reload(); !done)
      return sd_bus_reply_method_errorf(allowed, "org.schultor.Gateway1.Error.ConfigurationRefused", "%s",
                                        done.error().what().c_str());
    return sd_bus_reply_method_return(allowed, "");
  };
  return offer_of(userdata).authority.require(call, Right::configure, {}, reload, error);
}

int on_verify(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto verify = [&gateway](sd_bus_message* allowed, const std::string&) {
    auto differences = gateway.verify();
    if (!differences) return sd_bus_reply_method_errorf(allowed, SD_BUS_ERROR_FAILED, "%s", differences.error().what().c_str());
    return reply_texts(allowed, std::move(*differences));
  };
  return offer_of(userdata).authority.require(call, Right::configure, {}, verify, error);
}

int on_list_devices(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto list = [&gateway](sd_bus_message* allowed, const std::string&) {
    const auto devices = gateway.devices();
    if (!devices) return sd_bus_reply_method_errorf(allowed, SD_BUS_ERROR_FAILED, "%s", devices.error().what().c_str());
    return reply_text(allowed, *devices);
  };
  return offer_of(userdata).authority.require(call, Right::devices, {}, list, error);
}

/// The call's arguments, all of them strings. Empty once `error` says that there is one that nobody would write.
template <std::size_t count>
std::optional<std::array<std::string, count>> read_arguments(sd_bus_message* call, sd_bus_error* error) {
  std::array<std::string, count> arguments;
  for (auto& argument : arguments) {
    const char* text = nullptr;
    if (const int r = sd_bus_message_read_basic(call, 's', &text); r <= 0) {
      sd_bus_error_set_errno(error, r < 0 ? r : -EINVAL);
      return std::nullopt;
    }
    argument = text;
  }
  if (std::all_of(arguments.begin(), arguments.end(), [](const auto& one) { return one.size() <= longest_argument; }))
    return arguments;
  sd_bus_error_setf(error, override_refused, "an argument is longer than %zu octets: give shorter ones", longest_argument);
  return std::nullopt;
}

std::optional<std::string> named(const std::string& group) { return group.empty() ? std::nullopt : std::optional(group); }

int answer(sd_bus_message* call, const base::Result<std::string>& done) {
  if (done) return reply_text(call, *done);
  return sd_bus_reply_method_errorf(call, override_refused, "%s", done.error().what().c_str());
}

int on_override(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto arguments = read_arguments<4>(call, error);
  if (!arguments) return -EINVAL;
  const auto& [group, profile, end, reason] = *arguments;
  const auto set = [&gateway, request = policy::OverrideRequest{named(group), profile, end, reason, {}}](
                       sd_bus_message* allowed, const std::string& by) mutable {
    request.by = by;
    return answer(allowed, gateway.set_override(request));
  };
  return offer_of(userdata).authority.require(call, Right::set_overrides, {{"group", group}, {"profile", profile}}, set, error);
}

int on_extend_override(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto arguments = read_arguments<2>(call, error);
  if (!arguments) return -EINVAL;
  const auto extend = [&gateway, group = named((*arguments)[0]), span = (*arguments)[1]](sd_bus_message* allowed,
                                                                                         const std::string& by) {
    return answer(allowed, gateway.extend_override(group, span, by));
  };
  return offer_of(userdata).authority.require(call, Right::set_overrides, {{"group", (*arguments)[0]}}, extend, error);
}

int on_clear_override(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto arguments = read_arguments<1>(call, error);
  if (!arguments) return -EINVAL;
  const auto clear = [&gateway, group = named((*arguments)[0])](sd_bus_message* allowed, const std::string& by) {
    return answer(allowed, gateway.clear_override(group, by));
  };
  return offer_of(userdata).authority.require(call, Right::set_overrides, {{"group", (*arguments)[0]}}, clear, error);
}

int on_log_questions(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  std::uint32_t seconds = 0;
  if (const int r = sd_bus_message_read_basic(call, 'u', &seconds); r <= 0) return r < 0 ? r : -EINVAL;
  const auto arguments = read_arguments<1>(call, error);
  if (!arguments) return -EINVAL;
  const auto begin = [&gateway, span = std::chrono::seconds(seconds), profile = named((*arguments)[0])](sd_bus_message* allowed,
                                                                                                        const std::string& by) {
    const auto done = gateway.log_questions(span, profile, by);
    if (done) return reply_text(allowed, *done);
    return sd_bus_reply_method_errorf(allowed, question_log_refused, "%s", done.error().what().c_str());
  };
  return offer_of(userdata).authority.require(call, Right::debug, {{"profile", (*arguments)[0]}}, begin, error);
}

int on_end_question_log(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& gateway = gateway_of(userdata);
  const auto end = [&gateway](sd_bus_message* allowed, const std::string& by) {
    return reply_text(allowed, gateway.end_question_log(by));
  };
  return offer_of(userdata).authority.require(call, Right::debug, {}, end, error);
}

int get_manager_property(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply, void* userdata,
                         sd_bus_error*) {
  const auto& facts = gateway_of(userdata).status();
  const std::string_view name = property;
  if (name == "RulesetInForce") return sd_bus_message_append(reply, "b", gateway_of(userdata).ruleset_in_force() ? 1 : 0);
  if (name == "PolicyRevision") return sd_bus_message_append(reply, "t", facts.policy_revision);
  return sd_bus_message_append(reply, "s", name == "School" ? facts.school.c_str() : std::string(base::version).c_str());
}

int get_unwell_origins(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* userdata, sd_bus_error*) {
  int done = sd_bus_message_open_container(reply, 'a', "s");
  for (const auto& name : gateway_of(userdata).unwell_origins())
    if (done >= 0) done = sd_bus_message_append(reply, "s", name.c_str());
  return done < 0 ? done : sd_bus_message_close_container(reply);
}

/// The group that an object's path means; none for any other path.
const enforce::GroupStatus* group_at(const char* path, const enforce::Gateway& gateway) {
  char* decoded = nullptr;
  if (sd_bus_path_decode(path, group_prefix, &decoded) <= 0) return nullptr;
  const Path name(decoded);
  for (const auto& group : gateway.status().groups)
    if (group.name == name.get()) return &group;
  return nullptr;
}

int find_group(sd_bus*, const char* path, const char*, void* userdata, void** found, sd_bus_error*) {
  *found = userdata;
  return group_at(path, gateway_of(userdata)) != nullptr ? 1 : 0;
}

int get_group_property(sd_bus*, const char* path, const char*, const char* property, sd_bus_message* reply, void* userdata,
                       sd_bus_error*) {
  const auto* group = group_at(path, gateway_of(userdata));
  if (!group) return -ENOENT;
  const std::string_view name = property;
  if (name == "Since") return sd_bus_message_append(reply, "t", group->since ? microseconds(*group->since) : 0);
  if (name == "Until") return sd_bus_message_append(reply, "t", group->until ? microseconds(*group->until) : 0);
  if (name == "Devices") return sd_bus_message_append(reply, "u", static_cast<std::uint32_t>(group->devices));
  const auto& text = name == "Name"      ? group->name
                     : name == "Profile" ? group->profile
                     : name == "Because" ? group->because
                     : name == "Text"    ? group->text
                                         : group->ownership;
  return sd_bus_message_append(reply, "s", text.c_str());
}

int enumerate_groups(sd_bus*, const char*, void* userdata, char*** nodes, sd_bus_error*) {
  const auto& groups = gateway_of(userdata).status().groups;
  auto** paths = static_cast<char**>(std::calloc(groups.size() + 1, sizeof(char*)));
  if (paths == nullptr) return -ENOMEM;
  for (std::size_t i = 0; i < groups.size(); ++i) paths[i] = path_of(groups[i].name).release();
  *nodes = paths;
  return 1;
}

// clang-format off
const sd_bus_vtable manager_vtable[] = {
  SD_BUS_VTABLE_START(0),
  SD_BUS_METHOD("Describe", "", "s", on_describe, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("GateStatistics", "", "s", on_gate_statistics, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("Ruleset", "", "s", on_ruleset, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ListEvents", "", "as", on_list_events, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ListGroups", "", "a(so)", on_list_groups, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("Verify", "", "as", on_verify, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ListDevices", "", "s", on_list_devices, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("Reload", "", "", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("Override", "ssss", "s", on_override, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ExtendOverride", "ss", "s", on_extend_override, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ClearOverride", "s", "s", on_clear_override, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("LogQuestions", "us", "s", on_log_questions, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("EndQuestionLog", "", "s", on_end_question_log, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL("EventRaised", "s", 0),
  SD_BUS_SIGNAL("StateChanged", "", 0),
  SD_BUS_PROPERTY("School", "s", get_manager_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Version", "s", get_manager_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY("PolicyRevision", "t", get_manager_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("RulesetInForce", "b", get_manager_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("UnwellOrigins", "as", get_unwell_origins, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_VTABLE_END,
};
const sd_bus_vtable group_vtable[] = {
  SD_BUS_VTABLE_START(0),
  SD_BUS_PROPERTY("Name", "s", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY("Profile", "s", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Because", "s", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Text", "s", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Since", "t", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Until", "t", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Ownership", "s", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("Devices", "u", get_group_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_VTABLE_END,
};
// clang-format on

}  // namespace

struct GatewayService::Impl {
  Impl(enforce::Gateway& gateway, sd_bus* connection) : bus(connection), offer{gateway, Authority(connection)} {}

  std::unique_ptr<sd_bus, FlushClose> bus;
  Offer offer;  // goes before the bus does
};

GatewayService::GatewayService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayService::~GatewayService() = default;

base::Result<std::unique_ptr<GatewayService>> GatewayService::create(base::EventLoop& loop, enforce::Gateway& gateway) {
  sd_bus* bus = nullptr;
  int r = sd_bus_open_system(&bus);
  auto impl = std::make_unique<Impl>(gateway, bus);
  if (r < 0) return base::fail_errno(-r, "connecting to the system bus");
  void* userdata = &impl->offer;
  r = sd_bus_add_object_vtable(bus, nullptr, root_path, manager_interface, manager_vtable, userdata);
  if (r >= 0) r = sd_bus_add_fallback_vtable(bus, nullptr, group_prefix, group_interface, group_vtable, find_group, userdata);
  if (r >= 0) r = sd_bus_add_node_enumerator(bus, nullptr, group_prefix, enumerate_groups, userdata);
  if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus, 1);
  if (r >= 0) r = sd_bus_attach_event(bus, loop.native(), SD_EVENT_PRIORITY_NORMAL);
  if (r < 0) return base::fail_errno(-r, "offering the D-Bus service");
  r = sd_bus_request_name(bus, bus_name, 0);
  if (r < 0)
    return base::fail_errno(
        -r,
        fmt::format("owning {} (is its policy file in /usr/share/dbus-1/system.d, and no second schultord running?)", bus_name));
  return std::unique_ptr<GatewayService>(new GatewayService(std::move(impl)));
}

bool GatewayService::stopped_for_good() const { return is_stopped_for_good(impl_->bus.get()); }

void GatewayService::raise_event(const std::string& event_json) {
  sd_bus_emit_signal(impl_->bus.get(), root_path, manager_interface, "EventRaised", "s", event_json.c_str());
}

void GatewayService::state_changed() {
  sd_bus* bus = impl_->bus.get();
  for (const auto& group : impl_->offer.gateway.status().groups)
    if (const auto path = path_of(group.name))
      sd_bus_emit_properties_changed(bus, path.get(), group_interface, "Profile", "Because", "Text", "Since", "Until", "Ownership",
                                     "Devices", nullptr);
  sd_bus_emit_properties_changed(bus, root_path, manager_interface, "School", "PolicyRevision", "RulesetInForce", "UnwellOrigins",
                                 nullptr);
  sd_bus_emit_signal(bus, root_path, manager_interface, "StateChanged", "");
}

void GatewayService::describe_once_more(std::chrono::milliseconds most) {
  using Clock = std::chrono::steady_clock;
  sd_bus* bus = impl_->bus.get();
  impl_->offer.described = false;
  state_changed();
  const auto deadline = Clock::now() + most;
  while (!impl_->offer.described) {
    const int r = sd_bus_process(bus, nullptr);
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()).count();
    if (r < 0 || left <= 0) return;
    if (r == 0 && sd_bus_wait(bus, static_cast<std::uint64_t>(left)) < 0) return;
  }
}

}  // namespace schultor::bus
