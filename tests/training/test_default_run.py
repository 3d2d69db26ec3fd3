"""The run that a newcomer starts by pressing Train."""

from cgcnn.training.experiment import RunConfig, TestMetrics, run_experiment


def test_the_default_run_errs_by_less_than_a_third_of_what_a_constant_guess_errs() -> None:
    *_, result = run_experiment(RunConfig())
    assert isinstance(result, TestMetrics)
    assert result.mae < result.median_mae / 3 and result.median_mae > 0.60
