// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/dns/gate.hpp"
#include "daemon/dns/pin_memory.hpp"
#include "daemon/dns/schultord_link.hpp"
#include "daemon/dns/tcp_server.hpp"
#include "daemon/dns/udp_server.hpp"
#include "daemon/dns/upstream.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace schultor::dns {

/// The gate as a service: the pure gate with its sockets around it, all on one thread.
class Service {
public:
  struct Options {
    std::string socket = "/run/schultor/gate.sock";  ///< schultord's
    base::Endpoint resolver;
  };

  /// `stored` are the descriptors that the service manager kept for it (fd_store::take_back()).
  static base::Result<std::unique_ptr<Service>> create(base::EventLoop& loop, const Options& options,
                                                       std::map<std::string, base::UniqueFd> stored);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

private:
  Service(base::EventLoop& loop, const Options& options, std::optional<PinMemory> memory);
  base::Result<void> open(const Options& options, std::map<std::string, base::UniqueFd> stored);
  base::Result<void> use(GateSockets sockets);
  void resume(std::map<std::string, base::UniqueFd> stored);
  void on_announced(std::shared_ptr<const Rulebook> rules, const Announcement& announcement, const RuleFiles& files,
                    std::optional<GateSockets> sockets);
  void on_lost(const base::Error& why);
  void on_health(bool answers);
  void log_questions(const QuestionLogging& wanted);
  void note_end_of_log();
  void tell_statistics(const StatisticsRequest& request);
  void end_of_turn();
  void on_tick();
  void tell();

  base::EventLoop& loop_;
  Time since_;
  std::optional<PinMemory> memory_;  // none: pins are forgotten with this run
  Gate gate_;
  UdpServer udp_;
  TcpServer tcp_;
  SchultordLink link_;
  std::unique_ptr<Upstream> upstream_;
  base::EventSource turn_;
  base::EventSource tick_;
  bool ticking_ = false;
  bool has_sockets_ = false;
  bool ready_told_ = false;
  bool logging_told_ = false;
};

}  // namespace schultor::dns
