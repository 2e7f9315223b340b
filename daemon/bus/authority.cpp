// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/authority.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace schultor::bus {
namespace {

/// Somebody may have to type a password.
constexpr std::uint64_t patience = 5U * 60U * 1'000'000U;  // microseconds
constexpr std::size_t most_pending = 64;
constexpr std::uint32_t allow_interaction = 1;

struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
  void operator()(sd_bus_creds* creds) const { sd_bus_creds_unref(creds); }
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};

std::string name_of(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return fmt::format("user {}", uid);
}

base::Result<uid_t> sender_of(sd_bus_message* call) {
  sd_bus_creds* raw = nullptr;
  int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &raw);
  const std::unique_ptr<sd_bus_creds, Unref> creds(raw);
  uid_t uid = 0;
  if (r >= 0) r = sd_bus_creds_get_euid(creds.get(), &uid);
  if (r < 0) return base::fail_errno(-r, "asking the bus who is calling");
  return uid;
}

int deny(sd_bus_message* call, const std::string& why) {
  return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED, "%s", why.c_str());
}

}  // namespace

struct Authority::Pending {
  Authority* owner = nullptr;
  std::unique_ptr<sd_bus_message, Unref> call{};
  std::string action{};
  const char* refusal = nullptr;
  bool answers = false;
  std::string by{};
  Act act{};
  std::unique_ptr<sd_bus_slot, Unref> slot{};

  int finish() const {
    const auto done = act(by);
    if (!done) return sd_bus_reply_method_errorf(call.get(), refusal, "%s", done.error().what().c_str());
    return answers ? sd_bus_reply_method_return(call.get(), "s", done->c_str()) : sd_bus_reply_method_return(call.get(), "");
  }
};

Authority::Authority(sd_bus* bus) : bus_(bus) {}
Authority::~Authority() = default;

int Authority::answer(sd_bus_message* call, const char* action, const char* refusal, bool answers, Act act) {
  const auto uid = sender_of(call);
  if (!uid) return deny(call, uid.error().what());
  auto pending = std::make_unique<Pending>(Pending{this, std::unique_ptr<sd_bus_message, Unref>(sd_bus_message_ref(call)), action,
                                                   refusal, answers, name_of(*uid), std::move(act)});
  if (*uid == 0 || *uid == geteuid()) return pending->finish();
  if (pending_.size() >= most_pending) return deny(call, "too many callers wait for polkit already: try again later");
  return ask(std::move(pending), action);
}

int Authority::ask(std::unique_ptr<Pending> pending, const char* action) {
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus_, &raw, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                         "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
  const std::unique_ptr<sd_bus_message, Unref> question(raw);
  const bool interactive = sd_bus_message_get_allow_interactive_authorization(pending->call.get()) > 0;
  if (r >= 0)
    r = sd_bus_message_append(question.get(), "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                              sd_bus_message_get_sender(pending->call.get()), action, 0, interactive ? allow_interaction : 0U, "");
  sd_bus_slot* slot = nullptr;
  if (r >= 0) r = sd_bus_call_async(bus_, &slot, question.get(), on_verdict, pending.get(), patience);
  if (r < 0) return r;
  pending->slot.reset(slot);
  pending_.push_back(std::move(pending));
  return 1;
}

int Authority::on_verdict(sd_bus_message* reply, void* userdata, sd_bus_error*) {
  auto* asked = static_cast<Pending*>(userdata);
  auto& all = asked->owner->pending_;
  const auto place = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == asked; });
  const auto pending = std::move(*place);
  all.erase(place);

  auto* call = pending->call.get();
  if (const auto* error = sd_bus_message_get_error(reply); error != nullptr) {
    const auto why =
        fmt::format("whether {} may do this could not be asked: polkit says “{}”. Install and start polkitd, or run this as root",
                    pending->by, error->message != nullptr ? error->message : error->name);
    deny(call, why);
    return 1;
  }
  int authorised = 0;
  int challenge = 0;
  if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 || sd_bus_message_read(reply, "bb", &authorised, &challenge) < 0) {
    deny(call, "polkit's answer is not understood: run this as root");
    return 1;
  }
  if (authorised != 0) pending->finish();
  else
    deny(call,
         fmt::format("{} lacks the right {}: an administrator gives it with a rule in /etc/polkit-1/rules.d, or run this as root",
                     pending->by, pending->action));
  return 1;
}

}  // namespace schultor::bus
