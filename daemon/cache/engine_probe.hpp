// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace schultor::cache {

/// One question to the engine, by a connection of its own, whether it and the hop behind it are there.
class EngineProbe {
public:
  /// Asks 127.0.0.1 on `port`. `heard` is called once, not before the constructor is through, with the generation of the
  /// configuration that the engine works by; none: no answer within `patience`, or another one than that all is well.
  EngineProbe(base::EventLoop& loop, std::uint16_t port, std::chrono::microseconds patience,
              std::function<void(const std::optional<std::string>&)> heard);

private:
  void ready();
  void finish(const std::optional<std::string>& generation);

  base::UniqueFd socket_;
  std::string answer_;
  bool has_asked_ = false;
  std::function<void(const std::optional<std::string>&)> heard_;
  base::EventSource watching_, deadline_;
};

/// The generation that an answer names, whose status says that all is well. Pure.
[[nodiscard]] std::optional<std::string> generation_of(std::string_view answer);

}  // namespace schultor::cache
