// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace schultor::cache {

/// How a program ended.
struct Outcome {
  int exit_code = -1;  ///< -1: by a signal
  std::string said;    ///< what it wrote to its outputs, 4 KiB of it at most, as it may go to a log

  [[nodiscard]] bool is_success() const { return exit_code == 0; }
};

/// A program that runs beside the loop. It is killed when this goes before it has ended.
class Program {
public:
  /// `argv[0]` is a path. `ended` is called once, and not after this is gone; it must not destroy this.
  [[nodiscard]] static base::Result<Program> run(base::EventLoop& loop, const std::vector<std::string>& argv,
                                                 std::function<void(const Outcome&)> ended);
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

private:
  struct Running;
  explicit Program(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace schultor::cache
