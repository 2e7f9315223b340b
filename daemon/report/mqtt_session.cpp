// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/mqtt_session.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

namespace schultor::report {
namespace {

using base::fail;
using base::Result;

constexpr int keepalive = 30;  // seconds; a broker that is gone is noticed after at most twice that

struct Destroy {
  void operator()(mosquitto* handle) const noexcept { mosquitto_destroy(handle); }
};

/// What every message of ours carries: it is JSON in UTF-8.
class Properties {
public:
  Properties() {
    mosquitto_property_add_byte(&list_, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    mosquitto_property_add_string(&list_, MQTT_PROP_CONTENT_TYPE, "application/json");
  }
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;
  ~Properties() { mosquitto_property_free_all(&list_); }
  [[nodiscard]] mosquitto_property* get() const { return list_; }
  mosquitto_property* release() { return std::exchange(list_, nullptr); }

private:
  mosquitto_property* list_ = nullptr;
};

std::string system_error_text(int error) { return std::generic_category().message(error); }

/// The library says "not found" of a file that may not be read, and does not say which.
Result<void> check_readable(const std::string& path, std::string_view what) {
  if (access(path.c_str(), R_OK) != 0) return base::fail_errno(errno, fmt::format("the {} {} cannot be read", what, path));
  return {};
}

}  // namespace

struct MqttSession::Impl {
  std::unique_ptr<mosquitto, Destroy> handle;
  Broker broker;
  bool dialled = false;  ///< there is a TCP connection
  bool accepted = false;
  std::string refusal;    ///< the broker's own word
  std::string tls_error;  ///< OpenSSL's latest
  std::vector<Acknowledgement> acknowledgements;

  [[nodiscard]] base::Error why(int code, int error) const {
    if (!refusal.empty()) return base::Error(fmt::format("{}: the broker says: {}", broker.url(), refusal));
    if (tls_error.find("certificate verify failed") != std::string::npos)
      return base::Error(
          fmt::format("{}: the broker's certificate is not signed by {}, not valid now, or made out to another name ({})",
                      broker.url(), broker.ca, tls_error));
    if (tls_error.find("alert") != std::string::npos)
      return base::Error(
          fmt::format("{}: the broker refuses this school's certificate {} ({})", broker.url(), broker.certificate, tls_error));
    if (!tls_error.empty()) return base::Error(fmt::format("{}: TLS: {}", broker.url(), tls_error));
    if (code == MOSQ_ERR_EAI) return base::Error(fmt::format("{}: the name cannot be resolved", broker.url()));
    const auto text = code == MOSQ_ERR_ERRNO ? system_error_text(error) : std::string(mosquitto_strerror(code));
    // A broker that refuses a certificate may hang up before its reason has arrived, and the library may notice while it still
    // dials: EPROTO is its word for TLS that ended.
    const bool cut = dialled || code == MOSQ_ERR_CONN_LOST ||
                     (code == MOSQ_ERR_ERRNO && (error == EPROTO || error == EPIPE || error == ECONNRESET));
    if (cut && !accepted)
      return base::Error(fmt::format("{}: the broker hung up before it accepted ({}): does it trust this school's certificate {}?",
                                     broker.url(), text, broker.certificate));
    return base::Error(fmt::format("{}: {}", broker.url(), text));
  }
};

namespace {

// The callbacks of the library; the object is a session's Impl, and nothing is thrown through C.
template <typename Impl>
Impl& of(void* object) {
  return *static_cast<Impl*>(object);
}

template <typename Impl>
void on_connect(mosquitto*, void* object, int reason, int, const mosquitto_property*) {
  if (reason == 0) of<Impl>(object).accepted = true;
  else of<Impl>(object).refusal = mosquitto_reason_string(reason);
}

template <typename Impl>
void on_disconnect(mosquitto*, void* object, int reason, const mosquitto_property*) {
  // From 0x80 it is the reason of the broker's DISCONNECT, below an error of the library's.
  if (reason >= 0x80) of<Impl>(object).refusal = mosquitto_reason_string(reason);
}

template <typename Impl>
void on_publish(mosquitto*, void* object, int id, int reason, const mosquitto_property*) {
  of<Impl>(object).acknowledgements.push_back({id, reason >= 0x80 ? mosquitto_reason_string(reason) : ""});
}

template <typename Impl>
void on_log(mosquitto*, void* object, int level, const char* text) {
  if (level == MOSQ_LOG_ERR) of<Impl>(object).tls_error = std::string_view(text).substr(0, 300);
}

}  // namespace

MqttSession::MqttSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MqttSession::MqttSession(MqttSession&&) noexcept = default;
MqttSession& MqttSession::operator=(MqttSession&&) noexcept = default;
MqttSession::~MqttSession() = default;

Result<MqttSession> MqttSession::open(const Broker& broker, const std::string& client, const Publication& will) {
  // Never cleaned up: a thread that is still waiting for a name may outlive main().
  static std::once_flag initialised;
  std::call_once(initialised, mosquitto_lib_init);
  for (const auto& [path, what] : {std::pair{broker.ca, "broker's CA"}, {broker.certificate, "certificate"}, {broker.key, "key"}})
    if (auto readable = check_readable(path, what); !readable) return base::pass(std::move(readable));

  auto impl = std::make_unique<Impl>();
  impl->broker = broker;
  impl->handle.reset(mosquitto_new(client.c_str(), true, impl.get()));
  auto* handle = impl->handle.get();
  if (handle == nullptr) return base::fail_errno(errno, "preparing a connection");
  mosquitto_connect_v5_callback_set(handle, on_connect<Impl>);
  mosquitto_disconnect_v5_callback_set(handle, on_disconnect<Impl>);
  mosquitto_publish_v5_callback_set(handle, on_publish<Impl>);
  mosquitto_log_callback_set(handle, on_log<Impl>);
  Properties properties;
  int code = mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_tls_set(handle, broker.ca.c_str(), nullptr, broker.certificate.c_str(), broker.key.c_str(), nullptr);
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_tls_opts_set(handle, SSL_VERIFY_PEER, "tlsv1.2", nullptr);
  if (code == MOSQ_ERR_SUCCESS) {
    code = mosquitto_will_set_v5(handle, will.topic.c_str(), static_cast<int>(will.payload.size()), will.payload.data(), 1, true,
                                 properties.get());
    if (code == MOSQ_ERR_SUCCESS) properties.release();  // the will's now
  }
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_connect_bind_v5(handle, broker.host.c_str(), broker.port, keepalive, nullptr, nullptr);
  if (code != MOSQ_ERR_SUCCESS) return tl::unexpected(impl->why(code, errno));
  impl->dialled = true;
  return MqttSession(std::move(impl));
}

Result<void> MqttSession::work(int wake, std::chrono::milliseconds most) {
  auto* handle = impl_->handle.get();
  const auto events = static_cast<short>(POLLIN | (mosquitto_want_write(handle) ? POLLOUT : 0));
  std::array<pollfd, 2> ready{{{mosquitto_socket(handle), events, 0}, {wake, POLLIN, 0}}};
  if (poll(ready.data(), ready.size(), static_cast<int>(most.count())) < 0 && errno != EINTR)
    return base::fail_errno(errno, "waiting for the broker");
  errno = 0;
  int code = MOSQ_ERR_SUCCESS;
  if ((ready[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0) code = mosquitto_loop_read(handle, 1);
  if (code == MOSQ_ERR_SUCCESS && (ready[0].revents & POLLOUT) != 0) code = mosquitto_loop_write(handle, 1);
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_loop_misc(handle);
  if (code != MOSQ_ERR_SUCCESS) return tl::unexpected(impl_->why(code, errno));
  if (!impl_->refusal.empty()) return tl::unexpected(impl_->why(MOSQ_ERR_CONN_REFUSED, 0));
  return {};
}

bool MqttSession::accepted() const { return impl_->accepted; }

Result<int> MqttSession::publish(const Publication& publication) {
  const Properties properties;
  int id = 0;
  const int code =
      mosquitto_publish_v5(impl_->handle.get(), &id, publication.topic.c_str(), static_cast<int>(publication.payload.size()),
                           publication.payload.data(), 1, publication.retain, properties.get());
  // Without a connection the library keeps it to itself, and work() is about to tell: either way no acknowledgement comes.
  if (code != MOSQ_ERR_SUCCESS && code != MOSQ_ERR_NO_CONN) return fail("{}: {}", publication.topic, mosquitto_strerror(code));
  return id;
}

std::vector<MqttSession::Acknowledgement> MqttSession::take_acknowledgements() {
  return std::exchange(impl_->acknowledgements, {});
}

void MqttSession::close() { mosquitto_disconnect_v5(impl_->handle.get(), 0, nullptr); }

}  // namespace schultor::report
