// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/system/broker/school.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>

namespace schultor::broker_test {
namespace {

using nlohmann::json;

bool on_path(const std::string& program) { return std::system(fmt::format("command -v {} >/dev/null", program).c_str()) == 0; }

bool bring_loopback_up() {
  const base::UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  return ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) == 0;
}

/// The event of a line of the city's: "TOPIC RETAINED PAYLOAD".
std::string event_id_of(const std::string& line) {
  if (line.find("/event/") == std::string::npos) return {};
  const auto brace = line.find('{');
  const auto event = brace == std::string::npos ? json() : json::parse(line.substr(brace), nullptr, false);
  return event.is_object() ? event.value("id", "") : "";
}

}  // namespace

std::string why_not_here() {
  setenv("PATH", fmt::format("{}:/usr/sbin:/sbin", std::getenv("PATH")).c_str(), 1);
  for (const char* program : {"dbus-daemon", "mosquitto", "mosquitto_sub", "openssl"})
    if (!on_path(program)) return fmt::format("{} is not installed (tools/packages install)", program);
  if (unshare(CLONE_NEWNET) != 0 || !bring_loopback_up()) return "no network namespace of its own: it takes root";
  return {};
}

std::string event_json(const std::string& id) {
  return json{{"id", id}, {"kind", "mode"}, {"at", "2026-11-23T08:00:00+01:00"}, {"group", "3b"}, {"profile", "school"}}.dump();
}

std::string description_json(const std::string& profile) {
  return json{{"school", "ggs-am-park"},
              {"version", "0.1.0"},
              {"time", "2026-11-23T08:00:01+01:00"},
              {"policy_revision", 7},
              {"groups",
               {{{"name", "3b"},
                 {"profile", profile},
                 {"because", "window"},
                 {"text", "window Mon..Fri 08:00-17:00"},
                 {"since", "2026-11-23T08:00:00+01:00"},
                 {"until", "2026-11-23T17:00:00+01:00"},
                 {"ownership", "school"},
                 {"devices", 3}}}},
              {"gate", {{"connected", true}, {"resolver_answers", true}}},
              {"applied", "2026-11-23T08:00:00+01:00"}}
      .dump();
}

School::School() {
  std::string name = (std::filesystem::temp_directory_path() / "schultor-broker-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory = name;
  const auto made = std::system(
      fmt::format("{}/tests/system/broker/make_certificates {} >{}/openssl.log 2>&1", SCHULTOR_SOURCE_DIR, name, name).c_str());
  if (made != 0) throw std::runtime_error("make_certificates failed");
  setenv("DBUS_SYSTEM_BUS_ADDRESS", fmt::format("unix:path={}/bus", name).c_str(), 1);
  write("bus.conf", fmt::format(R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
)",
                                name));
  write("mosquitto.conf", fmt::format(R"(user root
log_dest stderr
log_type all
allow_anonymous true
persistence true
persistence_location {0}/
queue_qos0_messages true
max_queued_messages 0
listener 8883 127.0.0.1
cafile {0}/city.pem
certfile {0}/broker.pem
keyfile {0}/broker.key
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
listener 1883 127.0.0.1
)",
                                      name));
  bus_daemon = std::make_unique<Child>(std::vector<std::string>{"dbus-daemon", "--nofork", "--nopidfile", "--print-address",
                                                                fmt::format("--config-file={}/bus.conf", name)});
  bus_daemon->line_with("unix:path=");
}

School::~School() {
  report.reset();
  city.reset();
  gateway.reset();
  broker.reset();
  bus_.reset();
  bus_daemon.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

void School::write(const std::string& name, const std::string& text) const { std::ofstream(directory / name) << text; }

void School::start_broker() {
  broker = std::make_unique<Child>(std::vector<std::string>{"mosquitto", "-c", directory / "mosquitto.conf"});
  broker->line_with(" running");
}

void School::start_gateway() {
  gateway = std::make_unique<Child>(std::vector<std::string>{SCHULTOR_FAKE_GATEWAY, description_json("leisure")});
  gateway->line_with("ready");
}

void School::start_report(const std::string& certificate) {
  write("gateway.toml",
        fmt::format("school = \"ggs-am-park\"\n[operations]\nbroker = \"mqtts://127.0.0.1:8883\"\nca = \"city.pem\"\ncertificate = "
                    "\"{0}.pem\"\nkey = \"{0}.key\"\n",
                    certificate));
  report = std::make_unique<Child>(std::vector<std::string>{SCHULTOR_REPORT, "--config", directory, "--state", directory},
                                   std::vector<std::string>{"CREDENTIALS_DIRECTORY=" + directory.string()});
  // Its name on the bus is taken before it is ready.
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (sd_bus_get_name_creds(bus(), "org.schultor.Report1", 0, nullptr) < 0) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("schultor-report does not come up");
    sd_bus_wait(bus(), 20'000);
  }
}

void School::start_city() {
  city = std::make_unique<Child>(std::vector<std::string>{"mosquitto_sub", "-V", "mqttv5", "-h", "127.0.0.1", "-p", "1883", "-i",
                                                          "city", "-c", "-x", "86400", "-q", "0", "-t", "schultor/1/#", "-F",
                                                          "%t %r %p"});
  broker->line_with("Sending SUBACK to city");
}

void School::save_broker() {
  const auto database = directory / "mosquitto.db";
  std::filesystem::remove(database);
  broker->mark();
  // The signal is taken at the next turn of the broker's loop.
  kill(broker->pid(), SIGUSR1);
  broker->line_with("Saving in-memory database");
  // The file is renamed into its place as a whole.
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (!std::filesystem::exists(database)) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("mosquitto does not save its database");
    sd_bus_wait(bus(), 20'000);
  }
}

void School::raise(const std::string& id, const std::string& command) { gateway->tell(command + " " + event_json(id)); }

sd_bus* School::bus() {
  if (!bus_) {
    sd_bus* opened = nullptr;
    if (sd_bus_open_system(&opened) < 0) throw std::runtime_error("no bus");
    bus_.reset(opened);
    sd_bus_add_match(opened, nullptr, "type='signal',path='/org/schultor/Report1'", nullptr, nullptr);
  }
  while (sd_bus_process(bus_.get(), nullptr) > 0) {
  }
  return bus_.get();
}

bool School::property(const char* name, char type, std::uint32_t wanted) {
  std::uint32_t value = 0;  // a D-Bus boolean is read as an int, of the same size
  const int r = sd_bus_get_property_trivial(bus(), "org.schultor.Report1", "/org/schultor/Report1", "org.schultor.Report1", name,
                                            nullptr, type, &value);
  return r >= 0 && value == wanted;
}

void School::wait_for_depth(std::uint32_t depth) {
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (!property("OutboxDepth", 'u', depth)) {
    if (std::chrono::steady_clock::now() > give_up)
      throw std::runtime_error(fmt::format("the outbox does not get to {} messages", depth));
    sd_bus_wait(bus(), 1'000'000);
  }
}

void School::wait_for_broker(bool connected) {
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (!property("BrokerConnected", 'b', connected ? 1 : 0)) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("BrokerConnected does not change");
    sd_bus_wait(bus(), 1'000'000);
  }
}

std::vector<std::string> School::event_ids() {
  std::vector<std::string> ids;
  for (const auto& line : city->lines())
    if (auto id = event_id_of(line); !id.empty()) ids.push_back(std::move(id));
  return ids;
}

void School::wait_for_events(const std::vector<std::string>& ids) {
  city->until([&](const std::vector<std::string>& lines) {
    std::set<std::string> seen;
    for (const auto& line : lines) seen.insert(event_id_of(line));
    return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) { return seen.count(id) > 0; });
  });
}

}  // namespace schultor::broker_test
