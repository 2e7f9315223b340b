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
#include <set>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

constexpr std::chrono::seconds retry_delay{1};
/// Differences that the journal names.
constexpr std::size_t most_named = 5;

/// The last of them by name.
std::string authors_of(const std::vector<netfilter::kernel::ForeignChange>& changes) {
  const auto& last = changes.back();
  std::set<std::uint32_t> others;
  for (const auto& change : changes)
    if (change.pid != last.pid) others.insert(change.pid);
  const auto name = last.process.empty() ? "somebody" : fmt::format("{} (pid {})", base::printable(last.process), last.pid);
  return others.empty() ? name : fmt::format("{} after {} more", name, others.size());
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
  if (changes->empty()) return;
  const auto is_known = [](const auto& one) { return !one.process.empty(); };
  const bool pins_lost =
      std::any_of(changes->begin(), changes->end(), [&](const auto& one) { return is_known(one) && enforcer.takes_pins(one); });
  const auto epoch = announcement.pins_epoch;
  put_right(authors_of(*changes), pins_lost);
  // What nobody heard is most likely another table's business: the pins are seen to, and nobody is told of it.
  if (!std::all_of(changes->begin(), changes->end(), is_known) && announcement.pins_epoch == epoch) open_again();
}

/// What differs; empty where nothing did. Whoever changes something in the same moment makes the transaction fail: once more then.
base::Result<std::vector<std::string>> Gateway::Impl::repair() {
  auto differences = enforcer.differences();
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (differences && differences->empty()) break;
    auto done = differences ? apply(current, Occasion::repair) : tl::unexpected<base::Error>(differences.error());
    if (done) break;
    if (attempt > 0) return base::pass(std::move(done), differences ? first_of(*differences) : std::string("the ruleset"));
    differences = enforcer.differences();
  }
  return differences;
}

void Gateway::Impl::put_right(const std::string& by, bool pins_lost, bool again) {
  const auto epoch = announcement.pins_epoch;
  auto differences = repair();
  if (!differences) {
    log(Priority::error, message_id::ruleset_changed,
        fmt::format("{} changed the ruleset, and it cannot be put right: {}; trying again in {} s", by,
                    base::printable(differences.error().what()), retry_delay.count()),
        {{"SCHULTOR_BY", by}});
    note_trouble(repair_refused, fmt::format("{} changed the ruleset: {}", by, base::printable(differences.error().what())));
    if (auto source = loop.after(retry_delay, [this, by, pins_lost] { put_right(by, pins_lost, true); }))
      guard_retry = std::move(*source);
    if (!again) tell_tampering(by, false);
    return;
  }
  guard_retry.reset();
  end_trouble(repair_refused);
  // Where the sets were made anew, their pins have been seen to.
  if (pins_lost && announcement.pins_epoch == epoch) {
    open_again();
    differences->emplace_back("addresses that were open were taken away");
  }
  // Others may add pins, or take back what they did.
  if (differences->empty()) return;
  log(Priority::warning, message_id::ruleset_changed,
      fmt::format("{} changed the ruleset, which is put right: {}", by, first_of(*differences)), {{"SCHULTOR_BY", by}});
  tell_tampering(by, true);
}

void Gateway::Impl::note_trouble(std::optional<KernelTrouble>& trouble, const std::string& text) {
  const bool begins = !trouble;
  trouble = {begins ? second_now() : trouble->since, text};
  if (begins) tell_changed();
}

void Gateway::Impl::end_trouble(std::optional<KernelTrouble>& trouble) {
  if (!trouble) return;
  trouble.reset();
  tell_changed();
}

/// The cloud's addresses as they were kept, and the gate is to open all others anew before it hands them out.
void Gateway::Impl::open_again() {
  if (auto opened = enforcer.pin(pins_of_before(current.gate_rules)); !opened)
    log(Priority::error, message_id::kernel_refused,
        fmt::format("The kernel refused the cloud's pins that were kept: {}", opened.error().what()));
  ++announcement.pins_epoch;
  if (gate) announce_rules();
}

void Gateway::Impl::tell_tampering(const std::string& by, bool repaired) {
  ruleset_tampering.happened(
      fmt::format("{} changed the ruleset: {}", by,
                  repaired ? "it was put right at once" : "it cannot be put right, see the gateway's journal"),
      by, !repaired);
}

void Gateway::Impl::raise_tampering(const std::string& what, const std::string& text) {
  const auto at = clock->now();
  raise(at, tampering_event(*current.policy, at, what, text));
}

bool Gateway::ruleset_in_force() const { return !impl_->trouble(); }

base::Result<std::vector<std::string>> Gateway::verify() const { return impl_->enforcer.differences(); }

}  // namespace schultor::enforce
