// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/fetch.hpp"

#include "daemon/cache/octet_buffer.hpp"
#include "daemon/cache/response_lines.hpp"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <map>
#include <utility>

namespace schultor::cache {
namespace {

using Transfer = Fetch::Transfer;

constexpr long most_connections = 640;
constexpr long most_idle_connections = 64;
constexpr long longest_idle_seconds = 50;
constexpr long read_at_once = 64L << 10;

struct Cleanup {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, Cleanup>;
struct CleanupMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

class List {
public:
  void add(const std::string& line) {
    if (auto* longer = curl_slist_append(list_.get(), line.c_str())) {
      static_cast<void>(list_.release());
      list_.reset(longer);
    }
  }
  [[nodiscard]] curl_slist* get() const { return list_.get(); }

private:
  std::unique_ptr<curl_slist, Cleanup> list_;
};

/// All that curl is told of a fetch.
class Options {
public:
  explicit Options(CURL* curl) : curl_(curl) {}
  template <typename Value>
  Options& set(CURLoption option, Value value) {
    if (ok_ && curl_easy_setopt(curl_, option, value) != CURLE_OK) ok_ = false;
    return *this;
  }
  [[nodiscard]] bool ok() const { return ok_; }

private:
  CURL* curl_;
  bool ok_ = true;
};

std::optional<base::Address> address_of(const curl_sockaddr& from) {
  if (from.family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &from.addr, sizeof address);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &address.sin_addr, octets.size());
    return base::address_from_bytes(octets);
  }
  if (from.family != AF_INET6) return std::nullopt;
  // curl keeps room for the longest of addresses behind its own type.
  sockaddr_in6 address{};
  std::memcpy(&address, reinterpret_cast<const char*>(&from) + offsetof(curl_sockaddr, addr), sizeof address);
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &address.sin6_addr, octets.size());
  return base::address_from_bytes(octets);
}

/// As CURLOPT_RESOLVE takes it. It is replaced by that of the host's next fetch.
std::string resolved(const FetchRequest& request) {
  std::string line = fmt::format("{}:{}:", request.host, request.https ? 443 : 80);
  for (std::size_t i = 0; i < request.addresses.size(); ++i) {
    const auto& address = request.addresses[i];
    const auto text = base::to_string(address);
    line += fmt::format("{}{}", i == 0 ? "" : ",", address.family == base::Family::ipv6 ? fmt::format("[{}]", text) : text);
  }
  return line;
}

List headers_of(const FetchRequest& request) {
  List list;
  // What curl would add by itself is not asked for.
  for (const auto* name : {"Accept", "Expect", "User-Agent", "Content-Type"})
    if (!request.fields.has(name)) list.add(fmt::format("{}:", name));
  for (const auto& [name, value] : request.fields.all())
    list.add(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
  return list;
}

}  // namespace

struct Fetch::Transfer : std::enable_shared_from_this<Transfer> {
  Fetcher::Impl* fetcher = nullptr;
  FetchRequest request;
  List headers;
  List addresses;
  std::array<char, CURL_ERROR_SIZE> details{};
  Curl curl;  // goes before what was lent to it
  std::function<void()> handler;
  ResponseLines lines;
  std::optional<FetchedHead> head;
  OctetBuffer received;
  OctetBuffer to_send;
  bool body_ended = false;
  bool receiving_paused = false;
  bool sending_paused = false;
  bool marked = false;
  bool counted = false;
  State state = State::going;
  std::string why;

  void mark();
  bool on_line(std::string_view line);
  std::size_t on_body(std::string_view octets);
  std::size_t on_read(std::span<char> into);
  void resume();
  bool configure(const FetchLimits& limits);
};

struct Fetcher::Impl {
  base::EventLoop& loop;
  FetchLimits limits;
  FetchCounts& counts;
  std::function<bool(const base::Address&)> allowed;
  std::map<curl_socket_t, base::EventSource> sockets;
  base::EventSource timer;
  bool armed = false;
  std::vector<std::weak_ptr<Transfer>> marked;
  std::unique_ptr<CURLM, CleanupMulti> multi;  // goes first: it lets go of its sockets

  void watch(curl_socket_t fd, int what);
  void arm(long milliseconds);
  void act(curl_socket_t fd, int events);
  void settle();
  void count(Transfer& transfer, bool failed);
  base::Result<void> configure();
};

void Fetch::Transfer::mark() {
  if (std::exchange(marked, true)) return;
  fetcher->marked.push_back(weak_from_this());
}

bool Fetch::Transfer::on_line(std::string_view line) {
  const bool had = lines.complete();
  if (!lines.add(line)) {
    why = "its header section is too long, or none of HTTP";
    return false;
  }
  if (had || !lines.complete()) return true;
  const bool contradicts = lines.fields().has("Content-Length") && !lines.fields().has("Transfer-Encoding") && !lines.length();
  if (contradicts) {
    why = "it tells no one length of its body";
    return false;
  }
  head = FetchedHead{lines.status(), lines.fields(), lines.length(), lines.delimited(), lines.well_formed()};
  mark();
  return true;
}

std::size_t Fetch::Transfer::on_body(std::string_view octets) {
  if (received.size() + octets.size() > most_held) {
    receiving_paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  received.append(octets);
  mark();
  return octets.size();
}

std::size_t Fetch::Transfer::on_read(std::span<char> into) {
  if (to_send.empty() && !body_ended) {
    sending_paused = true;
    return CURL_READFUNC_PAUSE;
  }
  mark();
  return to_send.take(into);
}

void Fetch::Transfer::resume() {
  const int paused = (receiving_paused ? CURLPAUSE_RECV : 0) | (sending_paused ? CURLPAUSE_SEND : 0);
  static_cast<void>(curl_easy_pause(curl.get(), paused));
}

bool Fetch::Transfer::configure(const FetchLimits& limits) {
  headers = headers_of(request);
  addresses.add(resolved(request));
  Options options(curl.get());
  options.set(CURLOPT_URL, fmt::format("{}://{}/", request.https ? "https" : "http", request.host).c_str())
      .set(CURLOPT_REQUEST_TARGET, request.target.c_str())
      .set(CURLOPT_PROTOCOLS_STR, request.https ? "https" : "http")
      .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS))
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
      .set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 2L)
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_PROXY, "")
      .set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_RESOLVE, addresses.get())
      .set(CURLOPT_HTTPHEADER, headers.get())
      .set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()))
      .set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.slowest))
      .set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stalled.count()))
      .set(CURLOPT_MAXAGE_CONN, longest_idle_seconds)
      .set(CURLOPT_BUFFERSIZE, read_at_once)
      .set(CURLOPT_ERRORBUFFER, details.data())
      .set(CURLOPT_PRIVATE, this);
  if (!limits.authorities.empty()) options.set(CURLOPT_CAINFO, limits.authorities.c_str()).set(CURLOPT_CAPATH, nullptr);

  if (request.has_body) {
    options.set(CURLOPT_UPLOAD, 1L).set(CURLOPT_READDATA, this);
    options.set(
        CURLOPT_READFUNCTION, +[](char* into, std::size_t size, std::size_t count, void* userdata) {
          return static_cast<Transfer*>(userdata)->on_read({into, size * count});
        });
    if (request.body_length) options.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*request.body_length));
  }
  if (request.method == "HEAD") options.set(CURLOPT_NOBODY, 1L);
  else options.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());

  options.set(CURLOPT_HEADERDATA, this).set(CURLOPT_WRITEDATA, this).set(CURLOPT_OPENSOCKETDATA, fetcher);
  options.set(
      CURLOPT_HEADERFUNCTION, +[](char* line, std::size_t size, std::size_t count, void* userdata) -> std::size_t {
        return static_cast<Transfer*>(userdata)->on_line({line, size * count}) ? size * count : 0;
      });
  options.set(
      CURLOPT_WRITEFUNCTION, +[](char* octets, std::size_t size, std::size_t count, void* userdata) {
        return static_cast<Transfer*>(userdata)->on_body({octets, size * count});
      });
  options.set(
      CURLOPT_OPENSOCKETFUNCTION, +[](void* userdata, curlsocktype, curl_sockaddr* to) -> curl_socket_t {
        const auto address = address_of(*to);
        if (!address || !static_cast<Fetcher::Impl*>(userdata)->allowed(*address)) return CURL_SOCKET_BAD;
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
      });
  return options.ok();
}

void Fetcher::Impl::watch(curl_socket_t fd, int what) {
  const auto known = sockets.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (known != sockets.end()) sockets.erase(known);
    return;
  }
  const auto events =
      ((what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0U) | ((what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0U);
  if (known != sockets.end()) return known->second.set_events(events);
  auto source = loop.watch(fd, events, [this, fd](std::uint32_t ready) {
    act(fd, ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) | ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0));
  });
  if (source) sockets.emplace(fd, std::move(*source));
}

void Fetcher::Impl::arm(long milliseconds) {
  armed = milliseconds >= 0;
  if (!armed) return;
  const std::chrono::milliseconds delay{milliseconds};
  if (timer) return timer.restart(delay);
  auto made = loop.after(delay, [this] {
    if (std::exchange(armed, false)) act(CURL_SOCKET_TIMEOUT, 0);
  });
  if (made) timer = std::move(*made);
}

void Fetcher::Impl::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi.get(), fd, events, &running);
  settle();
}

/// What became of fetches is told outside of curl's callbacks: whoever hears it may end a fetch or start another one.
void Fetcher::Impl::settle() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    const auto code = message->data.result;
    const bool whole = code == CURLE_OK && transfer->head.has_value();
    transfer->state = whole ? Fetch::State::complete : Fetch::State::failed;
    if (!whole && transfer->why.empty())
      transfer->why = transfer->details[0] != '\0' ? transfer->details.data() : curl_easy_strerror(code);
    count(*transfer, !whole);
    transfer->mark();
  }
  for (const auto& weak : std::exchange(marked, {})) {
    const auto transfer = weak.lock();
    if (!transfer) continue;
    transfer->marked = false;
    // The handler may take another one's place while it runs.
    if (const auto handler = transfer->handler) handler();
  }
}

void Fetcher::Impl::count(Transfer& transfer, bool failed) {
  if (std::exchange(transfer.counted, true)) return;
  curl_off_t body = 0;
  long head = 0;
  curl_easy_getinfo(transfer.curl.get(), CURLINFO_SIZE_DOWNLOAD_T, &body);
  curl_easy_getinfo(transfer.curl.get(), CURLINFO_HEADER_SIZE, &head);
  counts.add(transfer.request.origin, failed, static_cast<std::uint64_t>(body) + static_cast<std::uint64_t>(head));
}

base::Result<void> Fetcher::Impl::configure() {
  auto* const handle = multi.get();
  bool ok = curl_multi_setopt(handle, CURLMOPT_SOCKETDATA, this) == CURLM_OK;
  ok = ok && curl_multi_setopt(handle, CURLMOPT_TIMERDATA, this) == CURLM_OK;
  ok = ok && curl_multi_setopt(
                 handle, CURLMOPT_SOCKETFUNCTION, +[](CURL*, curl_socket_t fd, int what, void* userdata, void*) {
                   static_cast<Impl*>(userdata)->watch(fd, what);
                   return 0;
                 }) == CURLM_OK;
  ok = ok && curl_multi_setopt(
                 handle, CURLMOPT_TIMERFUNCTION, +[](CURLM*, long milliseconds, void* userdata) {
                   static_cast<Impl*>(userdata)->arm(milliseconds);
                   return 0;
                 }) == CURLM_OK;
  ok = ok && curl_multi_setopt(handle, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING)) == CURLM_OK;
  ok = ok && curl_multi_setopt(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, most_connections) == CURLM_OK;
  ok = ok && curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, most_idle_connections) == CURLM_OK;
  if (!ok) return base::fail("libcurl cannot be used");
  return {};
}

Fetch::~Fetch() {
  transfer_->handler = nullptr;
  if (transfer_->state == State::going) transfer_->fetcher->count(*transfer_, false);
  curl_multi_remove_handle(transfer_->fetcher->multi.get(), transfer_->curl.get());
}

void Fetch::on_progress(std::function<void()> handler) { transfer_->handler = std::move(handler); }
const FetchedHead* Fetch::head() const { return transfer_->head ? &*transfer_->head : nullptr; }
bool Fetch::readable() const { return !transfer_->received.empty(); }
Fetch::State Fetch::state() const { return transfer_->state; }
const std::string& Fetch::why() const { return transfer_->why; }

bool Fetch::reached() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(transfer_->curl.get(), CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

std::size_t Fetch::read(std::span<char> into) {
  const auto count = transfer_->received.take(into);
  if (transfer_->receiving_paused && transfer_->received.size() <= most_held / 2) {
    transfer_->receiving_paused = false;
    transfer_->resume();
  }
  return count;
}

std::size_t Fetch::write(std::string_view octets) {
  const auto count = std::min(octets.size(), most_held - std::min(most_held, transfer_->to_send.size()));
  transfer_->to_send.append(octets.substr(0, count));
  if (count > 0 && std::exchange(transfer_->sending_paused, false)) transfer_->resume();
  return count;
}

void Fetch::end_of_body() {
  transfer_->body_ended = true;
  if (std::exchange(transfer_->sending_paused, false)) transfer_->resume();
}

Fetcher::Fetcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Fetcher::~Fetcher() = default;

base::Result<std::unique_ptr<Fetcher>> Fetcher::create(base::EventLoop& loop, FetchLimits limits, FetchCounts& counts,
                                                       std::function<bool(const base::Address&)> allowed) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  auto impl = std::unique_ptr<Impl>(new Impl{loop, std::move(limits), counts, std::move(allowed), {}, {}, false, {}, nullptr});
  if (ready) impl->multi.reset(curl_multi_init());
  if (!impl->multi) return base::fail("libcurl cannot be used");
  if (auto configured = impl->configure(); !configured) return base::pass(std::move(configured));
  return std::unique_ptr<Fetcher>(new Fetcher(std::move(impl)));
}

std::unique_ptr<Fetch> Fetcher::start(FetchRequest request) {
  auto transfer = std::make_shared<Transfer>();
  transfer->fetcher = impl_.get();
  transfer->request = std::move(request);
  transfer->curl.reset(curl_easy_init());
  if (!transfer->curl || !transfer->configure(impl_->limits)) return nullptr;
  if (curl_multi_add_handle(impl_->multi.get(), transfer->curl.get()) != CURLM_OK) return nullptr;
  return std::make_unique<Fetch>(std::move(transfer));
}

}  // namespace schultor::cache
