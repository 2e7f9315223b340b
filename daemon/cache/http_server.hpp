// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/messages.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace schultor::cache {

/// HTTP/1.1 on a unix socket (libmicrohttpd), on the event loop.
class HttpServer {
public:
  /// Tells the server that its handler has something new.
  using Wake = std::function<void()>;

  struct Answer {
    enum class Kind : std::uint8_t { later, hang_up, head } kind = Kind::later;
    ResponseHead head{};
  };
  struct Pulled {
    enum class Kind : std::uint8_t { octets, later, end, broken } kind = Kind::later;
    std::size_t count = 0;
  };

  /// Serves one request; ends with it. What it says "later" to, it is asked again after Wake.
  class Handler {
  public:
    virtual ~Handler() = default;
    /// Octets of the request's body: how many were taken; 0: none now.
    virtual std::size_t take(std::string_view octets) = 0;
    virtual void end_of_body() = 0;
    virtual Answer answer() = 0;
    /// Octets of the response's body. Broken closes the connection, so that what was sent is never taken for all.
    virtual Pulled pull(std::span<char> into) = 0;
  };
  using Accept = std::function<std::unique_ptr<Handler>(RequestHead head, Wake wake)>;

  static constexpr unsigned most_connections = 512;

  /// `path` is removed and bound anew, for this user and group alone. Takes EventLoop::after_each for itself.
  static base::Result<std::unique_ptr<HttpServer>> create(base::EventLoop& loop, const std::string& path, Accept accept);
  ~HttpServer();

private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
