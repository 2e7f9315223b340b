// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/leak/talk.hpp"

#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace schultor::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// What is said: before the acknowledgement, after it, in answer, and as the very last word.
constexpr char before = '0', after = '1', answer = '2', last_word = '3';
constexpr unsigned talking_core = 0, hearing_core = 1;
/// So often has each flow spoken before the switch, where it speaks always.
constexpr std::size_t rounds_before = 2;

/// What became of one flow. The talking thread writes `spoke_at`, and `ended_at` and `told` too.
struct Fate {
  std::atomic<Clock::time_point> spoke_at{};  ///< first after the acknowledgement
  std::atomic<Clock::time_point> ended_at{};  ///< the speaker's connection was reset
  std::atomic<bool> told{false};
  Clock::time_point heard_at{};
  bool heard = false, answered = false;
};

/// Segments that either end has sent again so far.
std::uint32_t retransmissions(const Flow& flow) {
  std::uint32_t sum = 0;
  for (const int fd : {flow.near.get(), flow.far.get()}) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (flow.tcp && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) sum += info.tcpi_total_retrans;
  }
  return sum;
}

class Conversation {
public:
  Conversation(std::vector<Flow>& flows, Talk talk, const std::function<bool(const Flow&)>& forbidden)
      : flows_(flows), talk_(talk), fates_(std::make_unique<Fate[]>(flows.size())), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < flows.size(); ++i) {
      forbidden_.push_back(forbidden(flows[i]));
      if (!forbidden_.back()) last_allowed_ = i;
      retransmitted_before_.push_back(retransmissions(flows[i]));
      for (const bool speaker : {false, true}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i << 1U | (speaker ? 1U : 0U);
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, speaker ? flows[i].speaker() : flows[i].listener(), &event) != 0)
          give_up("watching the flows");
      }
    }
  }

  Outcome run(const std::function<void()>& commit, std::chrono::milliseconds patience) {
    std::thread talker;
    if (talk_ == Talk::always) {
      talker = std::thread([this] { talk(); });
      while (rounds_ < rounds_before) hear(1);
    }
    Outcome outcome;
    outcome.commit_ms = timed<std::milli>(commit);
    acknowledged_at_ = Clock::now();
    acknowledged_ = true;
    if (talk_ == Talk::once) talker = std::thread([this] { talk(); });
    std::optional<Clock::time_point> deadline;
    while (!complete()) {
      hear(20);
      if (!silent_) continue;
      if (!deadline) deadline = Clock::now() + patience;
      if (Clock::now() > *deadline) break;
    }
    talker.join();
    while (hear(0)) {
    }
    count(outcome);
    return outcome;
  }

private:
  /// All flows in turn, until each has spoken after the acknowledgement.
  void talk() {
    use_core(talking_core);
    for (bool last = false; !last; ++rounds_) {
      last = acknowledged_;
      for (std::size_t i = 0; i < flows_.size(); ++i) say(i, acknowledged_ ? after : before);
    }
    // What is said on one core arrives in order: once this has been heard, nothing else is under way.
    say(last_allowed_, last_word);
    silent_ = true;
  }

  void say(std::size_t number, char word) {
    if (word == after) note(fates_[number].spoke_at);
    // An error that waits at the socket is told instead of sending: so once more.
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (send(flows_[number].speaker(), &word, 1, MSG_NOSIGNAL) == 1) return;
      if (failed(number, errno)) return;
    }
  }

  /// The speaker's socket told an error. Whether that was its end.
  bool failed(std::size_t number, int error) {
    auto& fate = fates_[number];
    if (!flows_[number].tcp) {
      fate.told = true;
      return false;
    }
    if (error != ECONNRESET && error != EPIPE) give_up(fmt::format("a flow ends by “{}”", std::generic_category().message(error)));
    note(fate.ended_at);
    return true;
  }

  /// Now, where nothing is noted yet.
  static void note(std::atomic<Clock::time_point>& at) {
    auto none = Clock::time_point{};
    at.compare_exchange_strong(none, Clock::now());
  }

  /// Takes in what comes first within so many milliseconds. Whether anything did.
  bool hear(int milliseconds) {
    static std::array<epoll_event, 1024> events;
    const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < ready; ++i) {
      const auto which = events[static_cast<std::size_t>(i)].data.u64;
      take_in(which >> 1U, (which & 1U) != 0);
    }
    return ready > 0;
  }

  void take_in(std::size_t number, bool speaker) {
    const auto& flow = flows_[number];
    const int fd = speaker ? flow.speaker() : flow.listener();
    std::array<char, 256> words{};
    while (true) {
      const auto size = recv(fd, words.data(), words.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) {
        const int error = size == 0 ? ECONNRESET : errno;
        if (speaker) failed(number, error);
        if (!flow.tcp) continue;
        // A reset stays readable for good.
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
        return;
      }
      for (const char word : std::string_view(words.data(), static_cast<std::size_t>(size))) take_in_word(number, speaker, word);
    }
  }

  void take_in_word(std::size_t number, bool speaker, char word) {
    auto& fate = fates_[number];
    if (speaker) {
      fate.answered = fate.answered || word == answer;
    } else if (word == last_word) {
      last_word_heard_ = true;
    } else if (word == after && !fate.heard) {
      fate.heard = true;
      fate.heard_at = Clock::now();
      if (!forbidden_[number] && send(flows_[number].listener(), &answer, 1, MSG_NOSIGNAL) != 1) give_up("an answer");
    }
  }

  [[nodiscard]] bool complete() const {
    if (!silent_ || !last_word_heard_) return false;
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      if (!forbidden_[i] && !fates_[i].answered) return false;
      if (forbidden_[i] && flows_[i].tcp && !has_ended(i)) return false;
    }
    return true;
  }

  [[nodiscard]] bool has_ended(std::size_t number) const { return fates_[number].ended_at.load() != Clock::time_point{}; }

  void count(Outcome& outcome) const {
    const auto since = [&](Clock::time_point at) {
      return std::chrono::duration<double, std::milli>(at - acknowledged_at_).count();
    };
    std::vector<double> resets, arrivals;
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      const auto& flow = flows_[i];
      const auto& fate = fates_[i];
      if (forbidden_[i]) {
        ++outcome.forbidden;
        outcome.leaked += fate.heard ? 1 : 0;
        outcome.told += fate.told ? 1 : 0;
        outcome.forbidden_tcp += flow.tcp ? 1 : 0;
        outcome.reset += has_ended(i) ? 1 : 0;
        if (!has_ended(i)) continue;
        outcome.last_reset_ms = std::max(outcome.last_reset_ms, since(fate.ended_at));
        // One that was reset between the kernel's commit and its acknowledgement knew before it spoke.
        resets.push_back(1000 * std::max(since(fate.ended_at) - since(fate.spoke_at), 0.0));
      } else {
        ++outcome.allowed;
        outcome.disturbed += fate.answered && !fate.told && !has_ended(i) ? 0 : 1;
        outcome.retransmitted += retransmissions(flow) != retransmitted_before_[i] ? 1 : 0;
      }
      if (!fate.heard) continue;
      outcome.last_arrival_ms = std::max(outcome.last_arrival_ms, since(fate.heard_at));
      arrivals.push_back(1000 * (since(fate.heard_at) - since(fate.spoke_at)));
    }
    if (!resets.empty()) outcome.reset_us = median(std::move(resets));
    if (!arrivals.empty()) outcome.arrival_us = median(std::move(arrivals));
  }

  std::vector<Flow>& flows_;
  Talk talk_;
  std::unique_ptr<Fate[]> fates_;
  base::UniqueFd epoll_;
  std::vector<bool> forbidden_;
  std::vector<std::uint32_t> retransmitted_before_;
  std::size_t last_allowed_ = 0;
  std::atomic<bool> acknowledged_{false}, silent_{false};
  std::atomic<std::size_t> rounds_{0};
  Clock::time_point acknowledged_at_{};
  bool last_word_heard_ = false;
};

}  // namespace

Outcome speak_across(std::vector<Flow>& flows, Talk talk, const std::function<bool(const Flow&)>& forbidden,
                     const std::function<void()>& commit, std::chrono::milliseconds patience) {
  use_core(hearing_core);
  return Conversation(flows, talk, forbidden).run(commit, patience);
}

}  // namespace schultor::bench
