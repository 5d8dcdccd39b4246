# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Short runs of the torture: scripts/torture does the long ones."""

import os
import pathlib
import subprocess
import sys
import unittest

TORTURE = pathlib.Path(__file__).with_name("torture.py")
POINTS = ("random", "before-commit", "after-commit", "in-checkpoint", "in-migration")
# Printed with everything else when a run fails.
SEED = 7
DEADLINE_S = 100
# scripts/torture allows 100 ms. Where tests run, other things do too, and what waits for a processor
# or for the disk is repeated by a kill.
PROGRESS_MS = 500


class ShortRun(unittest.TestCase):
    """The daemon survives, and one that does not is found out."""

    def torture(self, *options):
        """Exit status and output of a run."""
        done = subprocess.run(
            [sys.executable, TORTURE, f"--daemon={os.environ['EVENTBUSD']}",
             f"--crash-points={os.environ['CRASH_POINTS']}", f"--seed={SEED}",
             f"--progress-ms={PROGRESS_MS}", *options],
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=DEADLINE_S)
        return done.returncode, done.stdout

    def test_every_point(self):
        status, said = self.torture("--cycles=25")
        self.assertEqual(status, 0, said)
        for point in POINTS:
            self.assertRegex(said, rf"\d {point}(,? \d|\n)", said)

    def test_relaxed(self):
        status, said = self.torture("--cycles=6", "--durability=relaxed", "--points=random")
        self.assertEqual(status, 0, said)

    def test_memory_is_found_to_lose(self):
        status, said = self.torture("--cycles=2", "--store=memory", "--points=random")
        self.assertEqual(status, 1, said)
        self.assertIn("LOST: ", said)
        self.assertIn(f"(seed {SEED})", said)


if __name__ == "__main__":
    unittest.main()
