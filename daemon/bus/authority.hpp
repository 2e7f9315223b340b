// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace schultor::bus {

/// What a caller may be allowed, as polkit knows it: see units/polkit.
enum class Right { set_overrides, configure, maintain, debug, devices };

/// Asks who calls and whether they may, and never waits for the answer: neither the bus nor polkit can hold up the event loop.
/// root and the user that this process runs as may do everything, also where there is no polkit; but for Right::debug and
/// Right::devices, which take a person: root or an administrator, never the user that speaks for the city, whatever polkit says.
class Authority {
public:
  /// Does what was asked for, on behalf of the user `by` (the name, or the number of one that has none), and answers the call.
  /// Negative is an errno value, which the call is then answered with.
  using Act = std::function<int(sd_bus_message* call, const std::string& by)>;
  /// What a polkit rule can look up: names and values.
  using Details = std::vector<std::pair<std::string, std::string>>;

  /// Of calls that wait at the same time. A caller over them is refused, so that none fills memory and none locks out the others:
  /// a bus lets a user have 256 connections.
  static constexpr std::size_t most_of_a_caller = 4;
  static constexpr std::size_t most = 1024;
  static constexpr std::size_t most_of_a_user_at_polkit = 8;
  static constexpr std::size_t most_at_polkit = 64;

  /// Borrows the bus, which outlives it.
  explicit Authority(sd_bus* bus);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// Answers the call in time: through `act` where the caller has the right, else with an error that says what is missing and
  /// who can mend it. When the caller leaves before, nothing is done. Returns what the method's handler is to return.
  int require(sd_bus_message* call, Right right, Details details, Act act, sd_bus_error* error);

private:
  struct Question;  // a call that waits
  static int on_user(sd_bus_message* answer, void* userdata, sd_bus_error* error);
  static int on_verdict(sd_bus_message* answer, void* userdata, sd_bus_error* error);
  static int on_caller_left(sd_bus_message* signal, void* userdata, sd_bus_error* error);
  [[nodiscard]] bool polkit_is_free_for(const Question& question) const;
  [[nodiscard]] int ask_polkit(Question& question);
  void cancel(const Question& question);
  [[nodiscard]] std::unique_ptr<Question> take(const Question& question);

  sd_bus* bus_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Question>> waiting_;
};

}  // namespace schultor::bus
