# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth``; Ctrl-C ends it silently until it has all that it needs."""

from __future__ import annotations

import signal

__all__ = ['main']


def main() -> int:
    """Run the program with the arguments of the command line; see :func:`.cli.main`."""
    # Python would print where in its imports it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from stereo_depth_node.offline.cli import main as run

    return run()


if __name__ == '__main__':
    raise SystemExit(main())
