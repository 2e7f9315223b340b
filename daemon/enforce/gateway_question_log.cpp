// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/enforce/gateway_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

constexpr std::chrono::seconds longest_question_log = std::chrono::hours(1);

/// The views of a profile; none where there is no such profile.
std::optional<std::array<std::uint32_t, 2>> views_of(const Numbers& numbers, const std::string& profile) {
  std::array<std::uint32_t, 2> views{};
  const auto view_of = [&](bool steer) {
    const auto found = numbers.views.find(view_key(profile, steer));
    return found == numbers.views.end() ? 0U : std::uint32_t{found->second};
  };
  views = {view_of(false), view_of(true)};
  if (views == std::array<std::uint32_t, 2>{}) return std::nullopt;
  return views;
}

}  // namespace

void Gateway::Impl::tell_question_log(const QuestionLog& about, bool begun, const std::string& by) {
  const auto at = clock->now();
  log(Priority::notice, message_id::question_log,
      begun ? fmt::format("{} has the DNS gate log questions of {} for a while", by, about.profile.value_or("all profiles"))
            : std::string("The DNS gate does not log questions any more"),
      {{"SCHULTOR_PROFILE", about.profile.value_or("")}, {"SCHULTOR_BY", by}});
  raise(at, question_log_event(*current.policy, at, begun, about, by));
  tell_changed();
}

void Gateway::Impl::end_question_log(const std::string& by) {
  if (!question_log) return;
  const auto ended = *std::exchange(question_log, std::nullopt);
  question_log_end.reset();
  gate->log_questions({});
  tell_question_log(ended, false, by);
}

void Gateway::Impl::on_gate_changed() {
  // With its connection it ended at the gate, too.
  if (!gate->connected() && question_log) return end_question_log(question_log->by);
  tell_changed();
}

base::Result<std::string> Gateway::log_questions(std::chrono::seconds span, const std::optional<std::string>& profile,
                                                 const std::string& by) {
  auto& my = *impl_;
  if (span < std::chrono::seconds(1) || span > longest_question_log)
    return base::fail("questions cannot be logged for {} s: expected a second at least and an hour at most", span.count());
  dns::QuestionLogging wanted{std::chrono::steady_clock::now() + span, {}};
  if (profile) {
    const auto views = views_of(my.current.numbers, *profile);
    std::vector<std::string_view> known;
    for (const auto& one : my.current.gate_rules.profiles) known.push_back(one.name);
    if (!views || std::find(known.begin(), known.end(), *profile) == known.end())
      return base::fail("there is no profile “{}”{}", *profile, config::suggestion(*profile, known));
    wanted.views = *views;
  }
  auto timer = my.loop.after(span, [&my] {
    if (my.question_log) my.end_question_log(my.question_log->by);
  });
  if (!timer) return base::pass(std::move(timer));
  my.gate->log_questions(wanted);
  if (!my.gate->connected()) return base::fail("the DNS gate is not connected: see “systemctl status schultor-dns”");
  my.question_log_end = std::move(*timer);
  const auto now = my.second_now();
  my.question_log = QuestionLog{now, now + span, profile, by};
  my.tell_question_log(*my.question_log, true, by);
  return enforce::describe(*my.current.policy, *my.question_log);
}

std::string Gateway::end_question_log(const std::string& by) {
  const bool ended = impl_->question_log.has_value();
  impl_->end_question_log(by);
  return nlohmann::json{{"ended", ended}}.dump();
}

}  // namespace schultor::enforce
