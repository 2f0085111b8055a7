"""Several processes assign at once: turns stay fair, each is used once, no deadlock and no locked database (A-2)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from baton.models.workflow import AssignmentPick, Role, Task, TaskItem
from tests.factories import BACKENDS

PROCESSES = 5
HELPER = Path(__file__).with_name("take_in.py")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_2_a_hundred_tickets_at_once_are_shared_34_33_33(desk: Any) -> None:
    each = 100 // PROCESSES
    processes = [
        subprocess.Popen(
            [sys.executable, str(HELPER), str(number * each + 1), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    counts = Counter(desk.assignees())
    assert sorted(counts.values()) == [33, 33, 34] and set(counts) == {"11", "12", "13"}
    role = Role.get(Role.role_id == "1")
    turns = [pick.turn for pick in AssignmentPick.select().where(AssignmentPick.role == role.id).order_by(AssignmentPick.id)]
    assert turns == list(range(1, 101))
    assert TaskItem.select().count() == 100 and role.turn == 100
    assert sorted(Counter(task.owner_user_id for task in Task.select()).values()) == [50, 50]
