# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed system service, on a booted systemd with a system bus."""

import os
import pathlib
import subprocess
import unittest

from bootbox import BootBox

NAME = "org.example.EventBus"
CALL = ("busctl", "--system", "call", NAME, "/org/example/EventBus", NAME)
# In tenths: what systemd's own well kept services reach.
EXPOSURE_THRESHOLD = 15


def run(*command):
    """Runs a command of the build; its output is only of interest when it fails."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}:\n{done.stdout}")


def build_for_install():
    """A build with a distribution's folders."""
    build = pathlib.Path(os.environ["EVENTBUS_INSTALL_BUILD"])
    if not (build / "build.ninja").exists():
        run("meson", "setup", build, os.environ["EVENTBUS_SOURCE"], "--prefix=/usr",
            "--sysconfdir=/etc", "-Dtests=false", "-Dbench=false")
    run("meson", "compile", "-C", build)
    return build


class ServiceTest(unittest.TestCase):
    """Each case starts with nothing of ours running, an empty store, and the socket unit off."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("booting systemd needs root")
        cls.box = BootBox(build_for_install())
        cls.addClassCleanup(cls.box.close)

    def setUp(self):
        self.succeed("systemctl", "stop", "eventbus.socket", "eventbus.service")
        self.box.run("systemctl", "reset-failed", "eventbus.service")
        self.succeed("rm", "-rf", "/var/lib/eventbus")

    def succeed(self, *command, **options):
        """Runs a command in the box that must succeed; its output."""
        done = self.box.run(*command, **options)
        journal = ""
        if done.returncode != 0:
            journal = self.box.run("journalctl", "--no-pager", "--lines=30").stdout
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}: {done.stdout}\n{journal}")
        return done.stdout.strip()

    def show(self, key):
        """A property of the service."""
        return self.succeed("systemctl", "show", "--value", f"--property={key}", "eventbus.service")

    def journal(self):
        """What the service's present or last start wrote."""
        return self.succeed("journalctl", "--no-pager", "--output=cat",
                            f"_SYSTEMD_INVOCATION_ID={self.show('InvocationID')}")

    def test_units_verify(self):
        units = [f"/usr/lib/systemd/system/eventbus.{kind}" for kind in ("service", "socket")]
        self.assertEqual(self.succeed("systemd-analyze", "verify", "--man=no", *units), "")

    def test_user_unit_verifies(self):
        said = self.succeed("env", "XDG_RUNTIME_DIR=/run", "systemd-analyze", "verify", "--user",
                            "--man=no", "/usr/lib/systemd/user/eventbus.service")
        self.assertEqual(said, "")

    def test_exposure(self):
        self.succeed("systemd-analyze", "security", "--offline=yes", "--no-pager",
                     f"--threshold={EXPOSURE_THRESHOLD}", "eventbus.service")

    def test_first_call_starts_it(self):
        self.assertEqual(self.show("ActiveState"), "inactive")
        self.assertEqual(self.succeed(*CALL, "ListSubscribers", user="nobody"), "a(sx) 0")
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertIn("ready: http://127.0.0.1:3000", self.journal())
        owner = self.succeed("stat", "--format=%U", f"/proc/{self.show('MainPID')}")
        self.assertEqual(owner, "eventbus")

    def test_introspection_and_properties(self):
        said = self.succeed("busctl", "--system", "introspect", NAME, "/org/example/EventBus",
                            user="nobody")
        self.assertIn("RegisterAndKeepAlive", said)

    def test_delivers_under_hardening(self):
        """Registered on the bus, published over HTTP, delivered: no filter is in the way."""
        sink = subprocess.Popen(
            ["nsenter", f"--target={self.box.init}", "--net", "/usr/bin/python3",
             pathlib.Path(__file__).with_name("one-event-sink.py")],
            stdout=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(sink.stdout.close)
        self.addCleanup(sink.wait)
        self.addCleanup(sink.kill)
        port = sink.stdout.readline().strip()
        self.succeed(*CALL, "RegisterAndKeepAlive", "s", f"127.0.0.1:{port}")
        self.succeed("curl", "--silent", "--fail", "--max-time", "20", "--data", "hello",
                     "http://127.0.0.1:3000/sendMessage")
        self.assertEqual(sink.communicate(timeout=30)[0].strip(), "hello")

    def test_knows_its_own_addresses(self):
        """Where it listens on all of them, its port elsewhere is still somebody else's."""
        configuration = "/etc/eventbus/eventbus.conf"
        self.succeed("cp", configuration, "/tmp")
        self.addCleanup(self.succeed, "cp", "/tmp/eventbus.conf", configuration)
        self.succeed("sed", "-i", "s/^#listen=.*/listen=0.0.0.0:3000/", configuration)
        self.succeed(*CALL, "RegisterAndKeepAlive", "s", "192.0.2.7:3000")
        done = self.box.run(*CALL, "RegisterAndKeepAlive", "s", "127.0.0.1:3000")
        self.assertIn("this bus itself", done.stdout)

    def test_stop_is_clean(self):
        self.succeed("systemctl", "start", "eventbus.service")
        self.succeed("systemctl", "stop", "eventbus.service")
        self.assertEqual(self.show("Result"), "success")
        self.assertEqual(self.show("ExecMainStatus"), "0")
        # 1 is CLD_EXITED: it went by itself, no signal had to end it.
        self.assertEqual(self.show("ExecMainCode"), "1")

    def test_its_state_is_kept(self):
        self.succeed(*CALL, "RegisterAndKeepAlive", "s", "127.0.0.1:9")
        self.succeed("systemctl", "kill", "--signal=SIGKILL", "eventbus.service")
        self.succeed("systemctl", "stop", "eventbus.service")
        self.assertRegex(self.succeed(*CALL, "ListSubscribers"), 'a\\(sx\\) 1 "127.0.0.1:9" ')
        said = self.succeed("stat", "--format=%U %a", "/var/lib/eventbus", "/var/lib/eventbus/events.db")
        self.assertEqual(said, "eventbus 700\neventbus 600")

    def test_reload_keeps_it(self):
        self.succeed("systemctl", "start", "eventbus.service")
        before = self.show("MainPID")
        self.succeed("systemctl", "reload", "eventbus.service")
        self.assertEqual(self.succeed(*CALL, "ListSubscribers"), "a(sx) 0")
        self.assertEqual(self.show("MainPID"), before)

    def test_socket_unit_passes_its_socket(self):
        self.succeed("systemctl", "start", "eventbus.socket")
        self.assertEqual(self.show("ActiveState"), "inactive")
        said = self.succeed("curl", "--silent", "--fail", "--max-time", "20",
                            "http://127.0.0.1:3000/listSubscribers")
        self.assertEqual(said, "")
        # It answers before it has its name on the bus; this waits for the start that is under way.
        self.succeed("systemctl", "start", "eventbus.service")
        self.assertIn("ready: http://127.0.0.1:3000", self.journal())

    def test_user_unit_has_the_store_of_a_user(self):
        """The one that a daemon started by hand has, too."""
        if not os.path.exists("/usr/lib/systemd/user/dbus.socket"):
            self.skipTest("users have no bus here (Debian: dbus-user-session)")
        self.succeed("useradd", "--create-home", "someone")
        uid = self.succeed("id", "--user", "someone")
        self.addCleanup(self.succeed, "systemctl", "stop", f"user@{uid}.service")
        self.succeed("systemctl", "start", f"user@{uid}.service")
        self.succeed("env", f"XDG_RUNTIME_DIR=/run/user/{uid}", "systemctl", "--user", "start",
                     "eventbus.service", user="someone")
        state = "/home/someone/.local/state/eventbus"
        said = self.succeed("stat", "--format=%U %a", state, f"{state}/events.db")
        self.assertEqual(said, "someone 700\nsomeone 600")

    def test_only_its_user_may_own_the_name(self):
        done = self.box.run("busctl", "--system", "call", "org.freedesktop.DBus",
                            "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "su",
                            NAME, "0", user="nobody")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Access denied", done.stdout)

    def test_it_may_ping_its_subscribers(self):
        """Who may have its name may. Others may not: the bus's default is to refuse calls."""
        # Of the bus itself: to watch our name would start it, and nobody waits for that here.
        listener = self.box.popen("gdbus", "monitor", "--system", "--dest", "org.freedesktop.DBus")
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.addCleanup(listener.stdout.close)
        self.assertIn("Monitoring", listener.stdout.readline())
        peers = self.succeed("busctl", "--system", "list", "--unique", "--no-legend").splitlines()
        peer = next(line.split()[0] for line in peers if line.split()[2] == "gdbus")
        ping = ("busctl", "--system", "call", peer, "/", "org.freedesktop.DBus.Peer", "Ping")
        self.succeed(*ping, user="eventbus")
        self.succeed(*ping)
        self.assertNotEqual(self.box.run(*ping, user="nobody").returncode, 0)


if __name__ == "__main__":
    unittest.main()
