// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/authority.hpp"

#include "daemon/base/text.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>

namespace schultor::bus {
namespace {

constexpr const char* polkit_name = "org.freedesktop.PolicyKit1";
constexpr const char* polkit_path = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* polkit_interface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t allow_user_interaction = 1;
/// schultor-report's, on whose behalf the city may ask for something.
constexpr std::string_view user_of_the_city = "schultor-report";

/// A rule decides at once, or runs a program that polkit itself ends after 10 s.
constexpr std::chrono::microseconds longest_verdict = std::chrono::seconds(15);
/// Somebody is looking for a password.
constexpr std::chrono::microseconds longest_dialogue = std::chrono::minutes(2);

struct UnrefMessage {
  void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
struct UnrefSlot {
  void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};
using Message = std::unique_ptr<sd_bus_message, UnrefMessage>;
using Slot = std::unique_ptr<sd_bus_slot, UnrefSlot>;

struct RightFacts {
  const char* action;
  const char* words;
};
RightFacts facts_of(Right right) {
  if (right == Right::configure) return {"org.schultor.gateway1.configure", "change the configuration and have it applied"};
  if (right == Right::maintain) return {"org.schultor.gateway1.maintain", "withdraw what the content cache holds"};
  if (right == Right::debug) return {"org.schultor.gateway1.debug", "have questions logged for a while"};
  if (right == Right::devices) return {"org.schultor.gateway1.devices", "see which devices are there"};
  return {"org.schultor.gateway1.override", "set, extend and clear overrides"};
}

/// Takes somebody of the school: no program has it.
bool is_of_people(Right right) { return right == Right::debug || right == Right::devices; }

/// What is missing, and who can mend it.
std::string remedy(Right right) {
  const auto [action, words] = facts_of(right);
  return fmt::format(
      "this takes the right {} ({}): do it as root, or have root give you the right with a polkit rule, see schultorctl(1)", action,
      words);
}

std::string user_name(uid_t user) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool known = getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  // It goes into JSON and over the bus.
  if (known && *found->pw_name != '\0' && base::is_utf8(found->pw_name)) return found->pw_name;
  return std::to_string(user);
}

/// polkit is not installed, or not able to start.
bool is_absent(const sd_bus_error* error) {
  constexpr std::string_view spawn = "org.freedesktop.DBus.Error.Spawn.";
  return sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER) != 0 ||
         std::string_view(error->name).substr(0, spawn.size()) == spawn;
}

std::string text_of(const sd_bus_error* error) { return error->message != nullptr ? error->message : error->name; }

}  // namespace

struct Authority::Question {
  Authority& authority;
  std::uint64_t id;
  Message call;
  std::string caller;  ///< its unique name on the bus
  Right right;
  Details details;
  Act act;
  std::optional<uid_t> at_polkit{};  ///< the user whom polkit is asked about
  Slot answer{};
  Slot leaving{};

  [[nodiscard]] std::string cancellation_id() const { return fmt::format("schultor-{}", id); }
  void refuse(const char* name, const std::string& text) const { sd_bus_reply_method_errorf(call.get(), name, "%s", text.c_str()); }
  void deny(const std::string& why = {}) const { refuse(SD_BUS_ERROR_ACCESS_DENIED, why + remedy(right)); }
  void grant(uid_t user) const {
    if (const int r = act(call.get(), user_name(user)); r < 0) sd_bus_reply_method_errno(call.get(), r, nullptr);
  }
};

Authority::Authority(sd_bus* bus) : bus_(bus) {}
Authority::~Authority() = default;

std::unique_ptr<Authority::Question> Authority::take(const Question& question) {
  auto node = waiting_.extract(question.id);
  return std::move(node.mapped());
}

int Authority::require(sd_bus_message* call, Right right, Details details, Act act, sd_bus_error* error) {
  const char* sender = sd_bus_message_get_sender(call);
  if (sender == nullptr) return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "it is not known who asks: use the system bus");
  const std::string caller = sender;
  const auto of_caller =
      std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.second->caller == caller; });
  if (static_cast<std::size_t>(of_caller) >= most_of_a_caller || waiting_.size() >= most)
    return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                            "too many requests wait already: ask again when they are answered");
  auto question = std::make_unique<Question>(
      Question{*this, ++last_id_, Message(sd_bus_message_ref(call)), caller, right, std::move(details), std::move(act)});
  // sd_bus_query_sender_creds() would wait for the bus.
  sd_bus_slot* slot = nullptr;
  const int r = sd_bus_call_method_async(bus_, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "GetConnectionUnixUser", on_user, question.get(), "s", sender);
  question->answer.reset(slot);
  if (r < 0) return r;
  const auto id = question->id;
  waiting_.emplace(id, std::move(question));
  return 1;
}

int Authority::on_user(sd_bus_message* answer, void* userdata, sd_bus_error*) {
  auto& question = *static_cast<Question*>(userdata);
  auto& self = question.authority;
  std::uint32_t user = 0;
  if (sd_bus_message_get_error(answer) != nullptr || sd_bus_message_read(answer, "u", &user) <= 0) {
    // Mostly one who left: then nobody hears this.
    self.take(question)->refuse(SD_BUS_ERROR_FAILED, "the bus does not tell who asks: ask again");
    return 0;
  }
  if (is_of_people(question.right) && user_name(user) == user_of_the_city) {
    self.take(question)->refuse(SD_BUS_ERROR_ACCESS_DENIED,
                                fmt::format("this is never done for the city: {} asks", user_of_the_city));
    return 0;
  }
  if (user == 0 || (user == geteuid() && !is_of_people(question.right))) {
    self.take(question)->grant(user);
    return 0;
  }
  question.at_polkit = user;
  if (!self.polkit_is_free_for(question)) {
    self.take(question)->refuse(SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "too many requests wait for polkit already: ask again when they are answered");
  } else if (const int r = self.ask_polkit(question); r < 0) {
    sd_bus_reply_method_errno(self.take(question)->call.get(), r, nullptr);
  }
  return 0;
}

bool Authority::polkit_is_free_for(const Question& question) const {
  std::size_t all = 0;
  std::size_t of_user = 0;
  for (const auto& [id, one] : waiting_) {
    if (one.get() == &question || !one->at_polkit) continue;
    ++all;
    if (one->at_polkit == question.at_polkit) ++of_user;
  }
  return all < most_at_polkit && of_user < most_of_a_user_at_polkit;
}

int Authority::ask_polkit(Question& question) {
  // Sent before the question: of a caller who left before it, polkit says so.
  const auto rule = fmt::format(
      "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
      "member='NameOwnerChanged',arg0='{}'",
      question.caller);
  sd_bus_slot* slot = nullptr;
  // With a handler of its own, since sd-bus would close the connection where the bus refuses.
  const auto installed = [](sd_bus_message*, void*, sd_bus_error*) { return 0; };
  int r = sd_bus_add_match_async(bus_, &slot, rule.c_str(), on_caller_left, installed, &question);
  question.leaving.reset(slot);

  const bool interactive = sd_bus_message_get_allow_interactive_authorization(question.call.get()) > 0;
  sd_bus_message* raw = nullptr;
  if (r >= 0) r = sd_bus_message_new_method_call(bus_, &raw, polkit_name, polkit_path, polkit_interface, "CheckAuthorization");
  const Message check(raw);
  if (r >= 0)
    r = sd_bus_message_append(check.get(), "(sa{sv})s", "system-bus-name", 1, "name", "s", question.caller.c_str(),
                              facts_of(question.right).action);
  if (r >= 0) r = sd_bus_message_open_container(check.get(), 'a', "{ss}");
  for (const auto& [name, value] : question.details)
    if (r >= 0) r = sd_bus_message_append(check.get(), "{ss}", name.c_str(), value.c_str());
  if (r >= 0) r = sd_bus_message_close_container(check.get());
  if (r >= 0)
    r = sd_bus_message_append(check.get(), "us", interactive ? allow_user_interaction : 0U, question.cancellation_id().c_str());
  slot = nullptr;
  const auto patience = interactive ? longest_dialogue : longest_verdict;
  if (r >= 0) r = sd_bus_call_async(bus_, &slot, check.get(), on_verdict, &question, static_cast<std::uint64_t>(patience.count()));
  question.answer.reset(slot);
  return r;
}

int Authority::on_verdict(sd_bus_message* answer, void* userdata, sd_bus_error*) {
  auto& self = static_cast<Question*>(userdata)->authority;
  const auto asked = self.take(*static_cast<Question*>(userdata));
  int granted = 0;
  int challenge = 0;
  const sd_bus_error* error = sd_bus_message_get_error(answer);
  if (error != nullptr && is_absent(error)) {
    asked->deny("polkit, which says who else but root may, is not here (package polkitd); ");
  } else if (error != nullptr && sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) != 0) {
    self.cancel(*asked);
    asked->deny("polkit does not answer; ");
  } else if (error != nullptr) {
    asked->deny(fmt::format("polkit does not decide ({}): is org.schultor.gateway1.policy in /usr/share/polkit-1/actions? ",
                            text_of(error)));
  } else if (sd_bus_message_enter_container(answer, 'r', "bba{ss}") <= 0 ||
             sd_bus_message_read(answer, "bb", &granted, &challenge) <= 0) {
    asked->deny("polkit's answer is not understood; ");
  } else if (granted != 0) {
    asked->grant(*asked->at_polkit);
  } else if (challenge != 0) {
    asked->refuse(SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                  "an administrator's password is needed, and nobody can be asked for it here; " + remedy(asked->right));
  } else {
    asked->deny();
  }
  return 0;
}

int Authority::on_caller_left(sd_bus_message*, void* userdata, sd_bus_error*) {
  auto& self = static_cast<Question*>(userdata)->authority;
  const auto left = self.take(*static_cast<Question*>(userdata));
  self.cancel(*left);
  return 0;
}

void Authority::cancel(const Question& question) {
  // Nobody is to be asked for a password that is needed no more. There is nothing to do about a failure.
  sd_bus_call_method_async(bus_, nullptr, polkit_name, polkit_path, polkit_interface, "CancelCheckAuthorization", nullptr, nullptr,
                           "s", question.cancellation_id().c_str());
}

}  // namespace schultor::bus
