// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/pin_table.hpp"

#include <memory>

namespace schultor::dns {

/// A PinTable's memory as a memfd, which the service manager keeps across a restart: a gate that was started anew knows which pins
/// live, also while schultord is away. It holds addresses that names led to, not who asked.
class PinMemory {
public:
  static base::Result<PinMemory> create();
  /// An earlier run's. Refuses what has not the size and seals that create() gives.
  static base::Result<PinMemory> adopt(base::UniqueFd fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Valid for as long as this lives.
  [[nodiscard]] PinTable table() const;

private:
  struct Unmap {
    void operator()(void* memory) const;
  };
  PinMemory(base::UniqueFd fd, void* memory) : fd_(std::move(fd)), memory_(memory) {}
  static base::Result<PinMemory> map(base::UniqueFd fd);

  base::UniqueFd fd_;
  std::unique_ptr<void, Unmap> memory_;
};

}  // namespace schultor::dns
