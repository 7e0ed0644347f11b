"""Tests of the benchmark of commands."""

import pytest

from local.console import step
from tools.benchmark.commands import printed_steps, synth_times


def test_steps_are_read_from_the_output_of_the_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    with step("cdk deploy --all") as findings:
        findings.append("a finding")
    with pytest.raises(ValueError), step("a step that fails"):
        raise ValueError
    ((name, seconds),) = printed_steps(capsys.readouterr().out)
    assert name == "cdk deploy --all"
    assert seconds >= 0


@pytest.mark.slow
def test_both_apps_are_synthesized_in_each_round() -> None:
    ours, one_bucket = synth_times(rounds=1)
    assert len(ours) == len(one_bucket) == 1
    assert all(times.wall > 0 and times.cpu > 0 for times in ours + one_bucket)
