// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/gate.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace schultor::dns {

/// The sockets that tablets are answered on.
struct GateSockets {
  base::UniqueFd udp;
  base::UniqueFd tcp;
};

/// What the rules came in, to be kept for a later run.
struct RuleFiles {
  base::UniqueFd rules;  ///< the memfd
  base::UniqueFd table;  ///< of lists; empty where the rules name none
};

/// Reads the rules from their memfd, and maps the table that they are of. Refuses what is not sealed against writing and
/// shrinking, and any other table.
[[nodiscard]] base::Result<std::shared_ptr<const Rulebook>> read_rules(const RuleFiles& files);

/// The gate's end of the socket to schultord. Connects again, a little later each time, for as long as it lives.
class SchultordLink {
public:
  struct Handlers {
    /// Rules, with what they came in; and sockets, with the first announcement of a connection.
    std::function<void(std::shared_ptr<const Rulebook>, const Announcement&, RuleFiles, std::optional<GateSockets>)> announced;
    std::function<void(const PinReply&)> replied;
    std::function<void(const Switches&)> switches;
    /// What the gate has counted is to be told, with tell_statistics().
    std::function<void(const StatisticsRequest&)> statistics_wanted;
    std::function<void(const QuestionLogging&)> question_logging;
    std::function<void(const WellOrigins&)> well_origins;
    /// A connection ended, or the first attempt at one failed.
    std::function<void(const base::Error& why)> lost;
  };

  SchultordLink(base::EventLoop& loop, std::string path, Handlers handlers);
  /// Begins; what fails is told to `lost` and tried again.
  void start();
  [[nodiscard]] PinSent send(const PinRequest& request);
  /// Kept, and told again on every new connection.
  void tell_health(bool resolver_answers);
  /// `views`: by their numbers. What the socket has no room for is not told: nobody depends on it.
  void tell_statistics(const StatisticsRequest& request, const std::vector<ViewCounts>& views, const Statistics& whole);
  /// Rules came over the connection that holds.
  [[nodiscard]] bool connected() const { return ready_; }

private:
  base::Result<void> connect_now();
  void attempt();
  void receive();
  base::Result<bool> receive_one();
  base::Result<void> take(const Announcement& announcement, std::vector<base::UniqueFd> descriptors);
  PinSent send(const Message& message);
  void drop(const base::Error& why);

  base::EventLoop& loop_;
  std::string path_;
  Handlers handlers_;
  base::UniqueFd fd_;
  base::EventSource source_;
  base::EventSource retry_;
  std::chrono::milliseconds delay_;
  std::optional<bool> health_;
  bool ready_ = false;
  bool told_ = false;  // that it is away
};

}  // namespace schultor::dns
