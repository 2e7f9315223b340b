// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/result.hpp"
#include "daemon/cache/figures.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace schultor::cache {

/// Takes what nginx has counted to the file of figures, a minute's worth at a time: the log is put aside, nginx begins another one,
/// and what is aside is added and removed once nobody writes to it any more. A crash at any point neither loses nor doubles a line
/// but those that nginx held back in its memory.
class FiguresLog {
public:
  static constexpr std::chrono::seconds every{60};
  /// nginx's workers have begun the new file by then; a line that comes later is counted with the next ones.
  static constexpr std::chrono::seconds settles{3};

  /// `today` is the day in the school. File and loop outlive this.
  FiguresLog(base::EventLoop& loop, std::string runtime, FiguresFile& file, std::function<date::sys_days()> today);

  /// Now, and not waiting for the workers: at the end, and when somebody wants to know.
  void take();

private:
  void put_aside();
  void take_aside();
  void wait(std::chrono::microseconds time, void (FiguresLog::*then)());

  base::EventLoop& loop_;
  std::string runtime_;
  FiguresFile& file_;
  std::function<date::sys_days()> today_;
  base::EventSource clock_;
};

}  // namespace schultor::cache
