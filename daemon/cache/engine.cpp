// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/engine.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/cache/engine_process.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace schultor::cache {

using base::Priority;

Engine::Engine(base::EventLoop& loop, Options options, std::function<void()> changed)
    : loop_(loop), options_(std::move(options)), changed_(std::move(changed)) {
  ask();
}

std::string Engine::configuration_path() const { return options_.settings.runtime + "/nginx.conf"; }

void Engine::apply(const policy::CacheRules& rules, std::vector<std::string> certified, std::uint64_t certificates_edition) {
  options_.settings.certified = std::move(certified);
  options_.settings.certificates_edition = certificates_edition;
  auto made = nginx_configuration(rules, options_.settings);
  if (!made) {
    refuse(made.error().what());
  } else if (judging_) {
    waiting_ = std::move(*made);
  } else {
    judge_if_other(std::move(*made));
  }
}

void Engine::judge_if_other(NginxConfiguration wanted) {
  // What is in place was taken once: whatever was refused since is wanted no more.
  if (wanted.generation == generation_) is_refused_ = false;
  else judge(std::move(wanted));
}

void Engine::judge(NginxConfiguration wanted) {
  const auto draft = configuration_path() + ".new";
  if (auto written = base::replace_file(draft, draft + ".part", wanted.text, 0640); !written) {
    refuse(written.error().what());
    return;
  }
  auto started = Program::run(loop_, {options_.program, "-t", "-q", "-e", "stderr", "-p", options_.settings.runtime, "-c", draft},
                              [this, wanted = std::move(wanted)](const Outcome& outcome) { judged(wanted, outcome); });
  if (started) judging_ = std::move(*started);
  else refuse(fmt::format("{}: is nginx-light installed?", started.error().what()));
}

void Engine::judged(const NginxConfiguration& wanted, const Outcome& outcome) {
  const auto path = configuration_path();
  if (!outcome.is_success()) {
    refuse(outcome.said);
  } else if (std::rename((path + ".new").c_str(), path.c_str()) != 0) {
    refuse(fmt::format("{}: {}", path, std::generic_category().message(errno)));
  } else {
    generation_ = wanted.generation;
    others_heard_ = 0;
    is_refused_ = false;
    is_well_ = false;
    reload();
  }
  // What called this is not destroyed by it.
  if (auto next = loop_.after({}, [this] { judge_next(); })) next_ = std::move(*next);
}

void Engine::judge_next() {
  judging_.reset();
  if (auto wanted = std::exchange(waiting_, std::nullopt)) judge_if_other(std::move(*wanted));
  changed_();
}

void Engine::refuse(std::string_view why) {
  is_refused_ = true;
  base::log(Priority::error, base::message_id::engine_refused,
            fmt::format("nginx does not take its configuration, the one before stays: {}", why));
}

void Engine::reload() {
  if (auto told = signal_engine(options_.settings.runtime, EngineSignal::reload); !told)
    base::log(Priority::warning, {}, fmt::format("nginx cannot be told of its new configuration: {}", told.error().what()));
}

void Engine::ask() {
  probe_.emplace(loop_, http_port, patience, [this](const std::optional<std::string>& generation) { heard(generation); });
}

void Engine::heard(const std::optional<std::string>& generation) {
  settle(is_ready() && generation == generation_);
  // A reload that fails says nothing.
  if (!generation || generation == generation_) others_heard_ = 0;
  else if (++others_heard_ % told_again_after == 0) reload();
  if (auto clock = loop_.after(question_every, [this] { ask(); })) clock_ = std::move(*clock);
}

void Engine::settle(bool is_well) {
  if (std::exchange(is_well_, is_well) != is_well) changed_();
}

}  // namespace schultor::cache
