// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"

#include <cstdint>
#include <memory>

namespace schultor::bus {

/// org.schultor.Report1 on the system bus: how the way to the city is. Read only.
class ReportService {
public:
  struct Facts {
    bool broker_connected = false;
    std::uint32_t outbox_depth = 0;
    bool operator==(const Facts&) const = default;
  };

  /// Fails when there is no bus or the name may not be owned.
  static base::Result<std::unique_ptr<ReportService>> create(base::EventLoop& loop, Facts facts);
  ~ReportService();

  /// What is answered from now on; changes are signalled.
  void update(Facts facts);

private:
  struct Impl;
  explicit ReportService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::bus
