// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

struct sd_bus;

namespace schultor::bus {

/// Whether systemd ends this process's service to leave it stopped: not to start it again, and not because the machine goes down.
/// False where that cannot be known; true where nobody on the bus is systemd, so that whoever ends the process means that.
/// Waits two seconds for an answer.
[[nodiscard]] bool is_stopped_for_good(sd_bus* bus);

}  // namespace schultor::bus
