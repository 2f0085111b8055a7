"""
The bare server beside `scripts/bench live`: the same library and server, passing on whatever a room's client says. No store.

    python -m baton.scripts.benchmarks.live_bare PORT
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import json
import sys
from collections import defaultdict
from typing import Any

import simple_websocket
from gevent.pywsgi import WSGIServer

from baton.http.server import listen

_rooms: dict[str, set[Any]] = defaultdict(set)


def talk(env: dict[str, Any], start_response: Any) -> list[bytes]:
    """Pass on what a client says to everybody who asked for the same path."""
    line = simple_websocket.Server.accept(env)
    room = _rooms[env["PATH_INFO"]]
    say = line.send
    room.add(say)
    try:
        while True:
            said = json.loads(line.receive())
            passed_on = json.dumps({"type": "comment_message", "comment": {"body": said["content"], "more": "x" * 300}})
            for other in list(room):
                other(passed_on)
    except simple_websocket.ConnectionClosed:
        return []
    finally:
        room.discard(say)


if __name__ == "__main__":
    WSGIServer(listen("127.0.0.1", int(sys.argv[1])), talk, log=None).serve_forever()
