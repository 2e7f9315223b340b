// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Stands in for schultord on the bus: org.schultor.Gateway1 with what a test tells it on standard input, a line a command:
//   raise JSON     lists the event and signals it        keep JSON      lists it without a word, as if nobody had heard the signal
//   forget         lists no event any more               describe JSON  is what Describe answers, and StateChanged
// Each is answered by "done" once the bus has it.
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace {

constexpr const char* name = "org.schultor.Gateway1";
constexpr const char* path = "/org/schultor/Gateway1";
constexpr const char* interface = "org.schultor.Gateway1.Manager";

struct Gateway {
  sd_bus* bus = nullptr;
  std::string description = "{}";
  std::vector<std::string> events{};
  std::string input{};

  void obey(const std::string& line) {
    const auto space = line.find(' ');
    const auto command = line.substr(0, space);
    const auto json = space == std::string::npos ? std::string() : line.substr(space + 1);
    if (command == "raise" || command == "keep") events.push_back(json);
    if (command == "raise") sd_bus_emit_signal(bus, path, interface, "EventRaised", "s", json.c_str());
    if (command == "forget") events.clear();
    if (command == "describe") {
      description = json;
      sd_bus_emit_signal(bus, path, interface, "StateChanged", "");
    }
    sd_bus_flush(bus);
    std::puts("done");
    std::fflush(stdout);
  }
};

int on_describe(sd_bus_message* call, void* userdata, sd_bus_error*) {
  return sd_bus_reply_method_return(call, "s", static_cast<Gateway*>(userdata)->description.c_str());
}

int on_list_events(sd_bus_message* call, void* userdata, sd_bus_error*) {
  std::vector<char*> texts;
  for (auto& event : static_cast<Gateway*>(userdata)->events) texts.push_back(event.data());
  texts.push_back(nullptr);
  sd_bus_message* reply = nullptr;
  int r = sd_bus_message_new_method_return(call, &reply);
  if (r >= 0) r = sd_bus_message_append_strv(reply, texts.data());
  if (r >= 0) r = sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
  return r;
}

// clang-format off
const sd_bus_vtable vtable[] = {
  SD_BUS_VTABLE_START(0),
  SD_BUS_METHOD("Describe", "", "s", on_describe, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("ListEvents", "", "as", on_list_events, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL("EventRaised", "s", 0),
  SD_BUS_SIGNAL("StateChanged", "", 0),
  SD_BUS_VTABLE_END,
};
// clang-format on

int on_input(sd_event_source* source, int fd, std::uint32_t, void* userdata) {
  auto& gateway = *static_cast<Gateway*>(userdata);
  std::array<char, 65536> buffer{};
  const auto size = read(fd, buffer.data(), buffer.size());
  if (size <= 0) return sd_event_exit(sd_event_source_get_event(source), 0);
  gateway.input.append(buffer.data(), static_cast<std::size_t>(size));
  for (auto end = gateway.input.find('\n'); end != std::string::npos; end = gateway.input.find('\n')) {
    gateway.obey(gateway.input.substr(0, end));
    gateway.input.erase(0, end + 1);
  }
  return 0;
}

int failed(const char* what, int error) {
  std::fprintf(stderr, "%s: error %d\n", what, -error);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Gateway gateway;
  if (argc > 1) gateway.description = argv[1];
  sd_event* loop = nullptr;
  int r = sd_event_default(&loop);
  if (r >= 0) r = sd_bus_open_system(&gateway.bus);
  if (r >= 0) r = sd_bus_add_object_vtable(gateway.bus, nullptr, path, interface, vtable, &gateway);
  if (r >= 0) r = sd_bus_attach_event(gateway.bus, loop, 0);
  if (r >= 0) r = sd_bus_request_name(gateway.bus, name, 0);
  if (r >= 0) r = sd_event_add_io(loop, nullptr, STDIN_FILENO, 1 /* EPOLLIN */, on_input, &gateway);
  if (r < 0) return failed("offering the service", r);
  std::puts("ready");
  std::fflush(stdout);
  r = sd_event_loop(loop);
  sd_bus_flush_close_unref(gateway.bus);
  sd_event_unref(loop);
  return r < 0 ? failed("running", r) : 0;
}
