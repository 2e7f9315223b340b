// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::report {

/// The city's broker and what this school shows it. MQTT 5 over TLS 1.2 or later; the broker's certificate must be signed by
/// `ca` and name `host`.
struct Broker {
  std::string host;
  std::uint16_t port = 0;
  std::string ca;           ///< path
  std::string certificate;  ///< path
  std::string key;          ///< path

  /// "mqtts://ops.example:8883", for messages.
  [[nodiscard]] std::string url() const { return fmt::format("mqtts://{}:{}", host, port); }
};

/// What is published, at QoS 1.
struct Publication {
  std::string topic;
  std::string payload;
  bool retain = false;
};

/// One connection to a broker, from dialling to its end, over libmosquitto. It keeps nothing beyond its life: what was not
/// acknowledged is sent again by whoever holds it, over the next one. Used by one thread; open() blocks that thread for as long
/// as names and TCP take, nothing else does.
class MqttSession {
public:
  struct Acknowledgement {
    int id = 0;           ///< as publish() gave it
    std::string refusal;  ///< why the broker did not take it; empty: it has it
  };

  /// `will` is published by the broker, retained, should the connection end without close().
  static base::Result<MqttSession> open(const Broker& broker, const std::string& client, const Publication& will);

  /// Waits until there is work for this connection, `wake` is readable or `most` has passed, and does the work. An error is the
  /// connection's end and says why, in words for an operator.
  [[nodiscard]] base::Result<void> work(int wake, std::chrono::milliseconds most);
  /// Whether the broker has accepted the connection.
  [[nodiscard]] bool accepted() const;
  /// The id that the acknowledgement will carry.
  [[nodiscard]] base::Result<int> publish(const Publication& publication);
  [[nodiscard]] std::vector<Acknowledgement> take_acknowledgements();
  /// Takes leave of the broker, which then publishes no will.
  void close();

  MqttSession(MqttSession&&) noexcept;
  MqttSession& operator=(MqttSession&&) noexcept;
  ~MqttSession();

private:
  struct Impl;
  explicit MqttSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::report
