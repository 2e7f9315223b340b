// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/enforce/background.hpp"
#include "daemon/enforce/kept_pins.hpp"

#include <chrono>
#include <optional>
#include <string>

/// The file that keeps the cloud's pins.
namespace schultor::enforce {

/// None where there is no such file. One that is damaged or cannot be read is moved aside, and the error says where to: the pins
/// are then made as tablets ask.
[[nodiscard]] base::Result<std::optional<KeptPins>> load_kept_pins(const std::string& path);

/// Reads the cloud's pins from the kernel, which alone knows all of them with their time left, and replaces the file, on disk when
/// it returns. Writes nothing where the kernel has no such sets: what is kept then is of a ruleset that somebody took away.
/// Wants CAP_NET_ADMIN.
[[nodiscard]] base::Result<void> save_cloud_pins(const std::string& path, std::chrono::sys_seconds now, bool clock_trusted);

/// Saves on a thread of its own: listing many pins takes seconds, disks stop for as long, and a switch that is due waits for
/// neither.
class PinKeeper {
public:
  explicit PinKeeper(std::string path) : path_(std::move(path)) {}

  /// Logs what fails. Does nothing while an earlier one is at work.
  void begin(std::chrono::sys_seconds now, bool clock_trusted);
  /// At the end: returns when it is done.
  void save(std::chrono::sys_seconds now, bool clock_trusted);
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  void run(std::chrono::sys_seconds now, bool clock_trusted) const;

  std::string path_;
  Background worker_;
};

}  // namespace schultor::enforce
