"""When the trials of a resumed search may do again what they did."""

from typing import Any

from bench.engines._conductor import Step, pauses_of, steps_of


def event(kind: str, trial: int, step: int = 0, **more: Any) -> dict[str, Any]:
    return {"event": kind, "seconds": 1.0, "trial": trial, "step": step, **more}


def test_a_report_is_given_again_when_all_before_it_has_been() -> None:
    events = [
        event("suggest", 0),
        event("suggest", 1),
        event("report", 1, 1, loss=0.5, step_seconds=2.0),
        event("decide", 1, 1, decision="continue"),
        event("report", 0, 1, loss=0.4, step_seconds=3.0),
    ]
    assert steps_of(events) == {
        (1, 1): Step(2, {"loss": 0.5, "step_seconds": 2.0}, in_flight=True),
        (0, 1): Step(4, {"loss": 0.4, "step_seconds": 3.0}, in_flight=True),
    }, "both trials will go on: their decisions were to, or are not known"


def test_a_trial_that_is_paused_or_over_is_not_in_flight() -> None:
    events = [
        event("suggest", 0),
        event("report", 0, 1, loss=0.5),
        event("decide", 0, 1, decision="pause"),
        event("pause", 0, 1),
        event("suggest", 1),
        event("report", 1, 1, loss=0.5),
        event("decide", 1, 1, decision="stop"),
        event("finish", 1, 1, status="stopped"),
    ]
    assert not any(step.in_flight for step in steps_of(events).values())
    assert pauses_of(events)[0, 1] == 3


def test_nobody_waits_for_what_a_stopped_trial_was_doing() -> None:
    """Trial 0 was stopped while its state was saved, trial 1 in its second step."""
    events = [
        event("suggest", 0),
        event("suggest", 1),
        event("report", 1, 1, loss=0.5),
        event("decide", 1, 1, decision="continue"),
        event("report", 0, 1, loss=0.6),
        event("decide", 0, 1, decision="pause"),
        event("finish", 1, 1, status="stopped"),
        event("finish", 0, 1, status="stopped"),
        event("suggest", 2),
    ]
    assert pauses_of(events)[0, 1] == 8, "when its end has been"
    assert steps_of(events)[1, 2] == Step(7, {})


def test_a_failure_comes_before_what_the_scheduler_did_because_of_it() -> None:
    """Trial 2 reports and goes on; then trial 0 fails, for which trial 1 is stopped."""
    events = [
        event("report", 2, 1, loss=0.5),
        event("decide", 2, 1, decision="continue"),
        event("finish", 1, 1, status="stopped"),
        event("finish", 0, 1, status="failed", error="ValueError: no"),
    ]
    assert steps_of(events)[0, 2] == Step(2, {}, error="ValueError: no")


def test_a_failure_comes_after_what_was_done_because_of_a_report() -> None:
    """Trial 2's last report stops trial 1 and itself; then trial 0 fails."""
    events = [
        event("report", 2, 9, loss=0.5),
        event("finish", 1, 1, status="stopped"),
        event("finish", 2, 9, status="completed"),
        event("finish", 0, 1, status="failed", error="ValueError: no"),
    ]
    assert steps_of(events)[0, 2].turn == 3


def test_a_diverged_trial_failed_by_its_report() -> None:
    events = [
        event("report", 0, 1, loss=9.0, raw_loss="nan"),
        event("finish", 0, 1, status="failed", error="the loss was nan at step 1"),
    ]
    assert steps_of(events)[0, 1].report == {"loss": 9.0, "raw_loss": "nan"}
