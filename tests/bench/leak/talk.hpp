// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/leak/flows.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

/// Open flows that speak across a switch.
namespace schultor::bench {

enum class Talk : std::uint8_t {
  once,    ///< each flow is silent until the switch is acknowledged, then speaks once
  always,  ///< each flow speaks over and over, before, during and after the switch
};

/// Counts flows. What was said before the switch was acknowledged is no business of anybody's.
struct Outcome {
  std::size_t forbidden = 0, allowed = 0;
  std::size_t leaked = 0;         ///< of the forbidden: an octet that was said after the acknowledgement arrived
  std::size_t reset = 0;          ///< of the forbidden of TCP: the speaker's connection was reset
  std::size_t forbidden_tcp = 0;  ///< of which these should have been
  std::size_t told = 0;           ///< of the forbidden of UDP: the speaker heard of it by an ICMP error
  std::size_t disturbed = 0;      ///< of the allowed: what was said did not arrive, or the answer did not come back
  std::size_t retransmitted = 0;  ///< of the allowed of TCP: either end sent a segment again, which may be the machine's doing
  double commit_ms = 0;           ///< how long the switch took
  double last_reset_ms = 0;       ///< from the acknowledgement until the last speaker knew that it is reset
  double last_arrival_ms = 0;     ///< until the last listener had heard
  double reset_us = 0;            ///< how long a speaker waited for its reset from its own word on: the median of all
  double arrival_us = 0;          ///< how long a word was under way, likewise; each 0 where there was none
};

/// Has all flows speak across `commit`, which returns when the switch is acknowledged and forbids what `forbidden` says. Ends when
/// every allowed flow has carried a word and its answer and every forbidden one of TCP is reset, or `patience` after the last word.
Outcome speak_across(std::vector<Flow>& flows, Talk talk, const std::function<bool(const Flow&)>& forbidden,
                     const std::function<void()>& commit, std::chrono::milliseconds patience);

}  // namespace schultor::bench
