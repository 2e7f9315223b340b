// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Standing guard over the ruleset: what others change of it is put right, and told.
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/text.hpp"
#include "daemon/enforce/gateway_impl.hpp"

#include <sys/epoll.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// One who changes the ruleset again and again is told of once in so long.
constexpr std::chrono::minutes hold_down{1};
constexpr std::chrono::seconds retry_delay{1};
/// Differences that the journal names.
constexpr std::size_t most_named = 5;

std::string to_string(const netfilter::kernel::ForeignChange& change) {
  if (change.process.empty()) return "somebody";
  return fmt::format("{} (pid {})", base::printable(change.process), change.pid);
}

std::string first_of(const std::vector<std::string>& differences) {
  const auto end = differences.begin() + static_cast<std::ptrdiff_t>(std::min(differences.size(), most_named));
  auto text = fmt::format("{}", fmt::join(differences.begin(), end, "; "));
  if (differences.size() > most_named) text += fmt::format("; and {} more", differences.size() - most_named);
  return text;
}

}  // namespace

base::Result<void> Gateway::Impl::watch_ruleset() {
  auto source = loop.watch(enforcer.watch_fd(), EPOLLIN, [this](std::uint32_t) { on_ruleset_changed(); });
  if (!source) return base::pass(std::move(source));
  ruleset_changes = std::move(*source);
  return {};
}

void Gateway::Impl::on_ruleset_changed() {
  const auto changes = enforcer.changes_by_others();
  if (!changes) {
    log(Priority::error, {}, fmt::format("{}: it is put right at the next switch only", changes.error().what()));
    return ruleset_changes.reset();
  }
  if (!changes->empty()) put_right(to_string(changes->back()));
}

void Gateway::Impl::put_right(const std::string& by, bool again) {
  const auto differences = enforcer.differences();
  // Others may add pins, or take back what they did.
  if (differences && differences->empty()) return;
  const auto repaired = differences ? apply(current, Occasion::repair) : tl::unexpected<base::Error>(differences.error());
  const auto what = differences ? first_of(*differences) : std::string("what is in the kernel is not known");
  if (repaired) {
    log(Priority::warning, message_id::ruleset_changed, fmt::format("{} changed the ruleset, which is put right: {}", by, what),
        {{"SCHULTOR_BY", by}});
    guard_retry.reset();
  } else {
    log(Priority::error, message_id::ruleset_changed,
        fmt::format("{} changed the ruleset ({}), and it cannot be put right: {}; trying again in {} s", by, what,
                    repaired.error().what(), retry_delay.count()),
        {{"SCHULTOR_BY", by}});
    if (auto source = loop.after(retry_delay, [this, by] { put_right(by, true); })) guard_retry = std::move(*source);
  }
  if (!again) tell_tampering(by, repaired.has_value());
}

/// The first at once; those that follow within a minute together.
void Gateway::Impl::tell_tampering(const std::string& by, bool repaired) {
  if (tampering_held) {
    ++tampering_held->more;
    tampering_held->by = by;
    return;
  }
  raise_tampering(fmt::format("{} changed the ruleset: {}", by,
                              repaired ? "it was put right at once" : "it cannot be put right, see the gateway's journal"));
  tampering_held.emplace();
  auto end = loop.after(hold_down, [this] {
    const auto held = *std::exchange(tampering_held, std::nullopt);
    if (held.more > 0)
      raise_tampering(fmt::format("the ruleset was changed {} times more within a minute, at last by {}", held.more, held.by));
  });
  if (end) tampering_end = std::move(*end);
  else tampering_held.reset();
}

void Gateway::Impl::raise_tampering(const std::string& text) {
  const auto at = clock->now();
  raise(at, tampering_event(*current.policy, at, "ruleset", text));
}

base::Result<std::vector<std::string>> Gateway::verify() const { return impl_->enforcer.differences(); }

}  // namespace schultor::enforce
