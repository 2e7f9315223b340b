// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <systemd/sd-bus.h>

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace schultor::bus {

/// Whether a caller may do what it asks for, as polkit says (org.freedesktop.PolicyKit1.Authority). Nothing waits for polkit: the
/// caller is answered when it has spoken. root and this daemon's own user are asked nothing, so that a machine without polkit can
/// be steered.
class Authority {
public:
  /// Borrows the bus for as long as it lives.
  explicit Authority(sd_bus* bus);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// Does what was asked for, on behalf of the user named, and gives the text to answer with.
  using Act = std::function<base::Result<std::string>(const std::string& by)>;
  /// Answers `call` in the end: with what `act` gives ("s", or nothing where `answers` is false), with `refusal` as the error's
  /// name where it fails, or with AccessDenied. To be returned from the method's handler.
  [[nodiscard]] int answer(sd_bus_message* call, const char* action, const char* refusal, bool answers, Act act);

private:
  struct Pending;
  static int on_verdict(sd_bus_message* reply, void* userdata, sd_bus_error* error);
  int ask(std::unique_ptr<Pending> pending, const char* action);

  sd_bus* bus_;
  std::list<std::unique_ptr<Pending>> pending_;
};

}  // namespace schultor::bus
