"""The board: order, states, and what it refuses."""

from __future__ import annotations

import pytest

from t2scaling.testbed.study.runner import Board, Job, State


def job(id: str, after: tuple[str, ...] = (), cost: float = 1.0) -> Job:
    return Job(id, "nowhere:nothing", after=after, cost=cost)


def taken(board: Board) -> str:
    next_job = board.take()
    assert next_job is not None
    return next_job.id


def test_the_longest_chain_goes_first():
    board = Board([job("long", cost=5), job("head", cost=1), job("tail", ("head",), cost=9)])
    assert [taken(board), taken(board)] == ["head", "long"]
    board.done("head")
    assert taken(board) == "tail"
    board.done("tail")
    board.done("long")
    assert board.take() is None
    assert not board.wait(0)


def test_what_needs_a_failed_job_is_blocked_all_the_way():
    board = Board([job("a"), job("b", ("a",)), job("c", ("b",)), job("d")])
    taken(board)
    board.failed("a", "no")
    outcomes = board.outcomes()
    assert [outcomes[name].state for name in "abc"] == [State.FAILED, State.BLOCKED, State.BLOCKED]
    assert "`b`" in outcomes["c"].note
    assert taken(board) == "d"


def test_what_goes_behind_a_job_waits_for_its_end_and_not_for_its_success():
    board = Board([job("a", cost=1), Job("b", "nowhere:nothing", behind=("a",), cost=9), job("c", cost=0.5)])
    assert [taken(board), taken(board)] == ["a", "c"]
    board.failed("a", "no")
    assert taken(board) == "b"


def test_a_postponed_job_lets_others_go_first_and_comes_back():
    board = Board([job("busy", cost=9), job("free")], patience=0.05)
    assert taken(board) == "busy"
    board.postpone("busy")
    assert [taken(board), taken(board)] == ["free", "busy"]
    assert board.outcomes()["busy"].attempts == 1


def test_a_job_is_tried_twice_when_its_worker_dies():
    board = Board([job("a")], retries=1)
    for state in (State.WAITING, State.FAILED):
        taken(board)
        board.died("a", "killed")
        assert board.outcomes()["a"].state is state


def test_a_closed_board_hands_out_nothing():
    board = Board([job("a")])
    board.close()
    assert board.take() is None


def test_circles_and_unknown_ids_are_refused():
    with pytest.raises(ValueError, match="circle: a, b"):
        Board([job("a", ("b",)), job("b", ("a",))])
    with pytest.raises(ValueError, match="`a` waits for `x`"):
        Board([job("a", ("x",))])
