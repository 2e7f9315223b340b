// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_table.hpp"
#include "daemon/dns/statistics.hpp"

#include <cstdint>
#include <string>

namespace schultor::dns {

/// A question as an administrator may see it for a while: never who asked it.
struct LoggedQuestion {
  std::string name;  ///< printable
  std::uint16_t type = 0;
  std::string profile;  ///< of its view
  Verdict verdict = Verdict::allowed;
  bool kept = false;  ///< answered from what was kept
};
/// "question lernen.test AAAA in school: allowed".
[[nodiscard]] std::string to_string(const LoggedQuestion& question);

/// Whether questions are written to the journal: only when it was asked for, of the views that it was asked for, so many in a
/// second, and for so long, whoever else is there. Pure.
class QuestionLog {
public:
  /// From now on, or with an end that is past not any more. For limits::question_log at most, whatever is asked for.
  void use(const QuestionLogging& wanted, Time now);
  [[nodiscard]] bool on() const { return on_; }
  /// Whether a question of `view` is to be written.
  [[nodiscard]] bool wants(std::uint32_t view, Time now);
  /// Ends what is past its end.
  void tick(Time now);
  /// How many were not written because there were too many.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

private:
  QuestionLogging wanted_;
  bool on_ = false;
  Time second_{};
  std::uint32_t in_second_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace schultor::dns
