// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/engine_probe.hpp"
#include "daemon/cache/nginx_configuration.hpp"
#include "daemon/cache/program.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::cache {

/// nginx, seen from beside it: gives it its configuration, and asks it once a second whether it is there. It is started and
/// restarted by whoever starts services.
class Engine {
public:
  /// Beyond this without an answer it is unwell. One that ends is known at the next question.
  static constexpr std::chrono::seconds patience{2};
  static constexpr std::chrono::seconds question_every{1};

  struct Options {
    EngineSettings settings;
    std::string program = "/usr/sbin/nginx";
  };

  /// `changed` is called whenever what this tells is another. The loop outlives this.
  Engine(base::EventLoop& loop, Options options, std::function<void()> changed);

  /// Renders, has nginx judge it (nginx -t), puts it in place and has a running nginx take it on without dropping a transfer. What
  /// is refused is logged, and changes nothing. Of several in a row the last one counts.
  void apply(const policy::CacheRules& rules, std::vector<std::string> certified, std::uint64_t certificates_edition);

  /// Whether nginx answers, the hop behind it too, and both by the configuration that was applied last.
  [[nodiscard]] bool is_well() const { return is_well_; }
  /// Whether there is a configuration that nginx may be started with.
  [[nodiscard]] bool is_ready() const { return !generation_.empty(); }
  /// Whether nginx took or refused the configuration that was applied last.
  [[nodiscard]] bool is_settled() const { return !judging_ && (is_ready() || is_refused_); }
  [[nodiscard]] bool is_refused() const { return is_refused_; }

private:
  /// Of questions that were answered by another configuration than the one in place, until nginx is told again.
  static constexpr unsigned told_again_after = 5;

  void judge(NginxConfiguration wanted);
  void judge_if_other(NginxConfiguration wanted);
  void judged(const NginxConfiguration& wanted, const Outcome& outcome);
  void judge_next();
  void refuse(std::string_view why);
  void reload();
  void ask();
  void heard(const std::optional<std::string>& generation);
  void settle(bool is_well);
  [[nodiscard]] std::string configuration_path() const;

  base::EventLoop& loop_;
  Options options_;
  std::function<void()> changed_;
  std::optional<Program> judging_;
  std::optional<NginxConfiguration> waiting_;  ///< for the one that is being judged
  std::string generation_;                     ///< of the configuration in place
  base::EventSource next_, clock_;
  std::optional<EngineProbe> probe_;
  unsigned others_heard_ = 0;
  bool is_well_ = false;
  bool is_refused_ = false;  ///< what was applied last
};

}  // namespace schultor::cache
