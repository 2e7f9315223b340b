#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""fake_polkit.py yes|no|silent: owns polkit's name on the system bus and answers so; says on standard output what it was asked."""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

INTERFACE = "org.freedesktop.PolicyKit1.Authority"


class Authority(dbus.service.Object):
    def __init__(self, bus, answer: str):
        super().__init__(bus, "/org/freedesktop/PolicyKit1/Authority")
        self.answer = answer

    @dbus.service.method(INTERFACE, in_signature="(sa{sv})sa{ss}us", out_signature="(bba{ss})", async_callbacks=("reply", "_error"))
    def CheckAuthorization(self, subject, action, details, flags, cancellation, reply, _error):
        print("asked", action, *(f"{name}={value}" for name, value in sorted(details.items())), flush=True)
        if self.answer != "silent":
            reply((self.answer == "yes", False, dbus.Dictionary({}, signature="ss")))

    @dbus.service.method(INTERFACE, in_signature="s", out_signature="")
    def CancelCheckAuthorization(self, cancellation):
        print("cancelled", flush=True)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
system_bus = dbus.SystemBus()
name = dbus.service.BusName("org.freedesktop.PolicyKit1", system_bus, do_not_queue=True)
authority = Authority(system_bus, sys.argv[1])
print("ready", flush=True)
GLib.MainLoop().run()
