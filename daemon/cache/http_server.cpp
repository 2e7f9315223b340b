// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/http_server.hpp"

#include "daemon/base/unique_fd.hpp"

#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

namespace schultor::cache {
namespace {

/// Of a request and of a response header section each, and of a block of body.
constexpr std::size_t connection_memory = 160U << 10U;
constexpr std::size_t block = 64U << 10U;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const noexcept { MHD_stop_daemon(daemon); }
};
struct DestroyResponse {
  void operator()(MHD_Response* response) const noexcept { MHD_destroy_response(response); }
};

/// A request from its first line to its end.
struct Call {
  std::string target;
  MHD_Connection* connection = nullptr;
  std::unique_ptr<HttpServer::Handler> handler;
  bool body_ended = false;
  bool suspended = false;
  bool answered = false;

  void suspend() {
    if (!std::exchange(suspended, true)) MHD_suspend_connection(connection);
  }
  void wake() {
    if (std::exchange(suspended, false)) MHD_resume_connection(connection);
  }
};

RequestHead head_of(MHD_Connection* connection, const char* method, std::string target) {
  RequestHead head{method, std::move(target), {}, true};
  MHD_get_connection_values_n(
      connection, MHD_HEADER_KIND,
      [](void* userdata, MHD_ValueKind, const char* name, std::size_t name_size, const char* value, std::size_t value_size) {
        auto& into = *static_cast<RequestHead*>(userdata);
        if (!into.fields.add({name, name_size}, value != nullptr ? std::string_view(value, value_size) : std::string_view{}))
          into.well_formed = false;
        return MHD_YES;
      },
      &head);
  return head;
}

ssize_t on_pull(void* userdata, std::uint64_t, char* into, std::size_t size) {
  auto& call = *static_cast<Call*>(userdata);
  const auto pulled = call.handler->pull({into, size});
  switch (pulled.kind) {
    case HttpServer::Pulled::Kind::octets:
      return static_cast<ssize_t>(pulled.count);
    case HttpServer::Pulled::Kind::later:
      call.suspend();
      return 0;
    case HttpServer::Pulled::Kind::end:
      return MHD_CONTENT_READER_END_OF_STREAM;
    case HttpServer::Pulled::Kind::broken:
      break;
  }
  return MHD_CONTENT_READER_END_WITH_ERROR;
}

MHD_Result queue(Call& call, const ResponseHead& head) {
  const std::unique_ptr<MHD_Response, DestroyResponse> response(
      MHD_create_response_from_callback(head.length.value_or(MHD_SIZE_UNKNOWN), block, on_pull, &call, nullptr));
  if (!response) return MHD_NO;
  for (const auto& [name, value] : head.fields) {
    auto text = value;
    // The library takes no tabs, which mean the same, and no empty values, which say nothing.
    std::replace(text.begin(), text.end(), '\t', ' ');
    if (!text.empty()) static_cast<void>(MHD_add_response_header(response.get(), name.c_str(), text.c_str()));
  }
  call.answered = true;
  return MHD_queue_response(call.connection, static_cast<unsigned>(head.status), response.get());
}

/// A part of the request's body, or its end.
MHD_Result go_on(Call& call, const char* octets, std::size_t& size) {
  if (size > 0) {
    const auto taken = call.handler->take({octets, size});
    size -= taken;
    if (taken == 0) call.suspend();
    return MHD_YES;
  }
  if (!std::exchange(call.body_ended, true)) call.handler->end_of_body();
  if (call.answered) return MHD_YES;
  const auto answer = call.handler->answer();
  switch (answer.kind) {
    case HttpServer::Answer::Kind::head:
      return queue(call, answer.head);
    case HttpServer::Answer::Kind::later:
      call.suspend();
      return MHD_YES;
    case HttpServer::Answer::Kind::hang_up:
      break;
  }
  return MHD_NO;
}

base::Result<base::UniqueFd> listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return base::fail("{}: the path is too long for a socket", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return base::fail_errno(errno, path);
  // One that was killed leaves it behind.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno(errno, path);
  const auto old_mask = umask(0117);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int fault = errno;
  umask(old_mask);
  if (bound != 0) return base::fail_errno(fault, path);
  if (listen(fd.get(), SOMAXCONN) != 0) return base::fail_errno(errno, path);
  return fd;
}

}  // namespace

struct HttpServer::Impl {
  base::EventLoop& loop;
  std::string path;
  Accept accept;
  std::set<Call*> calls{};
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon;
  base::EventSource source;
  base::EventSource timer;
  base::EventSource afterwards;
  bool resumed = false;  ///< the library has no event of its own for connections that go on

  void run();
  MHD_Result serve(MHD_Connection* connection, Call& call, const char* method, const char* octets, std::size_t& size);
};

MHD_Result HttpServer::Impl::serve(MHD_Connection* connection, Call& call, const char* method, const char* octets,
                                   std::size_t& size) {
  if (call.handler) return go_on(call, octets, size);
  call.connection = connection;
  call.handler = accept(head_of(connection, method, call.target), [this, &call] {
    call.wake();
    resumed = true;
  });
  return call.handler ? MHD_YES : MHD_NO;
}

void HttpServer::Impl::run() {
  resumed = false;
  MHD_run(daemon.get());
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon.get(), &milliseconds) != MHD_YES) return;
  const std::chrono::milliseconds delay{std::min<MHD_UNSIGNED_LONG_LONG>(milliseconds, 60'000)};
  if (timer) return timer.restart(delay);
  if (auto made = loop.after(delay, [this] { run(); })) timer = std::move(*made);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  // The library wants no connection suspended at its end, with which handlers end too.
  for (auto* call : impl_->calls) call->wake();
  impl_->afterwards.reset();
  impl_->source.reset();
  impl_->timer.reset();
  unlink(impl_->path.c_str());
}

base::Result<std::unique_ptr<HttpServer>> HttpServer::create(base::EventLoop& loop, const std::string& path, Accept accept) {
  auto fd = listen_on(path);
  if (!fd) return base::pass(std::move(fd));
  auto impl = std::unique_ptr<Impl>(new Impl{loop, path, std::move(accept), {}, nullptr, {}, {}, {}, false});
  const auto on_uri = +[](void* userdata, const char* uri, MHD_Connection*) -> void* {
    auto call = std::make_unique<Call>();
    call->target = uri;
    static_cast<Impl*>(userdata)->calls.insert(call.get());
    return call.release();
  };
  const auto on_completed = +[](void* userdata, MHD_Connection*, void** call, MHD_RequestTerminationCode) {
    const std::unique_ptr<Call> ended(static_cast<Call*>(std::exchange(*call, nullptr)));
    static_cast<Impl*>(userdata)->calls.erase(ended.get());
  };
  const auto on_request = +[](void* userdata, MHD_Connection* connection, const char*, const char* method, const char*,
                              const char* octets, std::size_t* size, void** call) {
    return static_cast<Impl*>(userdata)->serve(connection, *static_cast<Call*>(*call), method, octets, *size);
  };
  impl->daemon.reset(MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, nullptr,
                                      nullptr, on_request, impl.get(), MHD_OPTION_LISTEN_SOCKET, fd->get(),
                                      MHD_OPTION_URI_LOG_CALLBACK, on_uri, impl.get(), MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                      impl.get(), MHD_OPTION_CONNECTION_LIMIT, most_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                      connection_memory, MHD_OPTION_END));
  if (!impl->daemon) return base::fail("{}: libmicrohttpd cannot serve it", path);
  static_cast<void>(fd->release());  // the library's now
  const auto* info = MHD_get_daemon_info(impl->daemon.get(), MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) return base::fail("{}: libmicrohttpd was built without epoll", path);
  auto source = loop.watch(info->epoll_fd, EPOLLIN, [raw = impl.get()](std::uint32_t) { raw->run(); });
  if (!source) return base::pass(std::move(source));
  impl->source = std::move(*source);
  impl->afterwards = loop.after_each([raw = impl.get()] {
    if (raw->resumed) raw->run();
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace schultor::cache
