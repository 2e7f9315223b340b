// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/enforce/cache_health.hpp"
#include "daemon/enforce/cache_link.hpp"
#include "daemon/enforce/clock_trust.hpp"
#include "daemon/enforce/configuration.hpp"
#include "daemon/enforce/counter_sums.hpp"
#include "daemon/enforce/describe.hpp"
#include "daemon/enforce/enforcer.hpp"
#include "daemon/enforce/gate_link.hpp"
#include "daemon/enforce/gateway.hpp"
#include "daemon/enforce/hold_down.hpp"
#include "daemon/enforce/kernel_settings.hpp"
#include "daemon/enforce/lan_devices.hpp"
#include "daemon/enforce/mode_switch.hpp"
#include "daemon/enforce/override_events.hpp"
#include "daemon/enforce/pin_keeper.hpp"
#include "daemon/lists/update_status.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// The inside of Gateway, for the files that make it up: gateway*.cpp.
namespace schultor::enforce {

struct Gateway::Impl {
  base::EventLoop& loop;
  GatewayOptions options;
  GatewayObserver observer;
  Enforcer enforcer;
  ClockTrust clock_trust;
  std::optional<base::WallClock> clock{};
  std::unique_ptr<GateLink> gate{};
  std::unique_ptr<CacheLink> cache{};
  base::EventSource cache_unwell{};  ///< runs while an origin is unwell that was not told of
  bool cache_fault_told = false;
  base::EventSource retry{};
  base::EventSource clock_watch{};
  PinKeeper pin_keeper{options.state_directory + "/cloud_pins"};
  Background table_keeper{};
  base::EventSource pins_due{};
  std::optional<std::chrono::steady_clock::time_point> pins_kept{};  ///< when they were last written down
  EventLog event_log{};
  base::EventSource ruleset_changes{};
  base::EventSource guard_retry{};
  HoldDown ruleset_tampering{loop, [this](const std::string& text) { raise_tampering("ruleset", text); },
                             [](std::size_t more, const std::string& by) {
                               return fmt::format("the ruleset was changed {} times more within a minute, at last by {}", more, by);
                             }};
  LanDevices devices{loop, [this](const std::string& text) { raise_tampering("device", text); }};

  Configuration current{};
  policy::KeptOverrides kept{};
  std::set<std::string> told_to_end{};                ///< ids of events of overrides that are near their end
  std::map<std::string, base::Instant> told_modes{};  ///< of each group, the latest change that was told
  lists::UpdateStatus list_status{};
  std::set<std::string> told_lists{};  ///< ids of the events of what is known of downloaded lists
  Moment moment{};
  GatewayStatus status{};
  dns::Announcement announcement{};
  base::Instant applied{};
  std::optional<Refusal> refused{};
  std::optional<QuestionLog> question_log{};
  base::EventSource question_log_end{};
  base::EventSource kernel_watch{};
  base::EventSource connections_watch{};
  std::optional<std::vector<WrongSetting>> settings_wrong{};  ///< none: not looked yet
  std::optional<ConnectionTable> connections{};
  FillWatch connections_fill{};
  FillWatch connections_crowd{FillWatch::half_full};
  CounterSums counter_sums{};
  std::optional<KernelTrouble> switch_refused{};  ///< what is due is not in force
  std::optional<KernelTrouble> repair_refused{};  ///< what others changed is not put right

  // gateway_configuration.cpp
  /// With the lists of the file `table`. Logs what is wrong with it.
  [[nodiscard]] Attempt attempt_from(const std::string& directory, const std::optional<Numbers>& known, const std::string& table,
                                     Lists lists) const;
  /// Empty: it is applied, whole, and kept for later starts. Else why nothing has changed.
  [[nodiscard]] std::vector<std::string> apply_from(const std::string& directory, Occasion occasion, const std::string& table,
                                                    Lists lists = Lists::needed);
  /// By the configuration directory, else by the files that were applied last; at last without lists.
  [[nodiscard]] base::Result<void> first_apply();
  [[nodiscard]] base::Result<void> reload();
  void note_refusal(base::Instant at, std::vector<std::string> errors);
  void tell_lists_fault();
  /// Keeps the table of lists beside the files that were applied last.
  void keep_table();
  void announce_rules();

  // gateway.cpp
  [[nodiscard]] base::Result<void> apply(const Configuration& wanted, Occasion occasion);
  [[nodiscard]] base::Result<void> switch_modes(const ModeSwitch& planned, const Moment& now);
  [[nodiscard]] base::Result<void> pin(const std::vector<dns::PinEntry>& entries);
  void on_time();
  void committed(const Moment& now, std::vector<ModeChange> changes);
  void arm_clock();
  void tell_switches();
  void raise(base::Instant at, const std::string& event);
  void tell_changed();
  [[nodiscard]] std::string status_line() const;
  void update_status(const std::vector<ModeChange>& changes);
  /// A switch, or nothing but other reasons and instants.
  [[nodiscard]] base::Result<void> bring_about(const ModeSwitch& planned, const Moment& now);

  // gateway_overrides.cpp
  [[nodiscard]] Moment moment_of(const policy::Policy& policy) const;
  [[nodiscard]] std::chrono::sys_seconds second_now() const;
  /// What is kept, as it stands now.
  [[nodiscard]] policy::Overrides overrides_now(const policy::Policy& policy) const;
  /// What was wrong with the file; empty: nothing. Before the numbers are read: whether there are any tells a first start.
  [[nodiscard]] std::string load_kept_overrides();
  /// Puts another list in force: on disk, then in the kernel; or leaves everything as it is.
  [[nodiscard]] base::Result<void> change_overrides(policy::Overrides wanted, const std::string& by);
  /// Tells what ended or is about to, and forgets what has gone or is not known any more.
  void tend_overrides();
  void tell_ending(std::chrono::sys_seconds now);
  void tell(const std::vector<OverrideEvent>& events);
  /// To be told at this start and at others soon after it.
  void keep_told(std::string event);

  // gateway_guard.cpp
  /// From now on what others change of the ruleset is put right within one turn of the loop.
  [[nodiscard]] base::Result<void> watch_ruleset();
  void on_ruleset_changed();
  /// What the kernel held otherwise, before that was put right.
  [[nodiscard]] base::Result<std::vector<std::string>> repair();
  /// `pins_lost`: addresses that were open may be closed. `again`: what could not be put right before.
  void put_right(const std::string& by, bool pins_lost, bool again = false);
  void open_again();
  /// It goes on, or begins.
  void note_trouble(std::optional<KernelTrouble>& trouble, const std::string& text);
  void end_trouble(std::optional<KernelTrouble>& trouble);
  [[nodiscard]] const std::optional<KernelTrouble>& trouble() const { return repair_refused ? repair_refused : switch_refused; }
  void tell_tampering(const std::string& by, bool repaired);
  void raise_tampering(const std::string& what, const std::string& text);

  // gateway_lists.cpp
  /// Looks what became of downloaded lists, and tells what was not told yet.
  void tell_lists(Occasion occasion);

  // gateway_question_log.cpp
  void on_gate_changed();
  void end_question_log(const std::string& by);
  void tell_question_log(const QuestionLog& about, bool begun, const std::string& by);

  // gateway_kernel.cpp
  /// From now on the kernel's settings and its table of connections are looked at, now and then.
  void watch_kernel();
  void look_at_settings();
  void look_at_connections();
  /// While the table of connections is half full, strangers begin none: the rest is for devices that the roster names.
  void hold_strangers_off(const ConnectionTable& table);

  // gateway_counters.cpp
  /// What was counted before this start of the daemon.
  void load_counters();
  /// Adds up what the kernel has counted, and keeps it for the next start.
  void look_at_counters();

  // gateway_cache.cpp
  void announce_cache_rules();
  /// Has the gate steer names of the origins that the cache answers for, and of no others.
  void steer_by_health();
  void on_cache_changed();
  void tell_cache_fault();
  [[nodiscard]] CacheHealth cache_health() const;

  // gateway_stop.cpp
  bool stop_for_service();

  // gateway_clock.cpp
  void tell_clock();
  /// Looks again whether the clock can be believed; and while it can, now and then writes down that it was this late already.
  void watch_clock();
  void remember_clock_soon();
  void watch_clock_after(std::chrono::microseconds delay);

  // gateway_pins.cpp
  /// The cloud's pins that were kept and are still to be open. A file that is damaged is logged, and is none.
  [[nodiscard]] std::vector<netfilter::planner::Pin> pins_of_before(const policy::GateRules& rules) const;
  /// There are new ones: they are written down soon, with all others.
  void keep_pins_soon();
  void keep_pins_now();

  [[nodiscard]] std::string applied_path() const { return options.state_directory + "/applied"; }
  [[nodiscard]] std::string applied_table_path() const { return options.state_directory + "/applied.table"; }
  /// Gone with the machine's start, and there over the daemon's.
  [[nodiscard]] std::string counters_path() const { return options.runtime_directory + "/counters.json"; }
  [[nodiscard]] std::string numbers_path() const { return options.state_directory + "/numbers.json"; }
  [[nodiscard]] std::string overrides_path() const { return options.state_directory + "/overrides.json"; }
};

}  // namespace schultor::enforce
