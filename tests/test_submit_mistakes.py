"""What can go wrong with `bench submit`: one line each, and nothing half done."""

from pathlib import Path

import pytest
from conftest import WriteSuite
from fake_slurm import site_text
from test_submit import Cluster, Completed, keys

from bench.lock import CellLock


@pytest.fixture
def cluster(tmp_path: Path, write_suite: WriteSuite) -> Cluster:
    return Cluster(tmp_path, write_suite)


def refused(printed: Completed, message: str) -> None:
    assert printed.returncode == 2, printed.stdout
    assert message in printed.stderr
    assert printed.stderr.count("\n") == 1, printed.stderr


def test_what_sbatch_refuses_leaves_nothing_behind(cluster: Cluster) -> None:
    cluster.slurm.refuse("sbatch", "sbatch: error: invalid account\nsbatch: error: failed")
    refused(
        cluster.submit(), "sbatch refuses g1: sbatch: error: invalid account sbatch: error: failed"
    )
    assert not [*(cluster.results / "plans").iterdir()]


def test_a_centres_greeting_is_not_the_jobs_number(cluster: Cluster) -> None:
    sbatch = cluster.slurm.folder / "bin/sbatch"
    greeting = "echo 'Welcome. 3 jobs of yours wait.'\necho $number\\;tiger\n"
    sbatch.write_text(sbatch.read_text().replace("echo $number\n", greeting))
    assert "job 101: 4 cells" in cluster.submit().stdout
    sbatch.write_text(sbatch.read_text().replace("echo $number\\;tiger\n", ""))
    refused(cluster.submit(), "and says no number: see squeue, and scancel it")


def test_when_the_second_array_is_refused_the_first_stays_submitted(cluster: Cluster) -> None:
    cluster.site(max_array_size=2)
    plans = cluster.results / "plans"
    plans.mkdir(parents=True)
    sbatch = cluster.slurm.folder / "bin/sbatch"
    full = "echo 'QOSMaxSubmitJobPerUserLimit' >sbatch.refusal\n"
    sbatch.write_text(sbatch.read_text().replace("echo $number\n", f"{full}echo $number\n"))
    printed = cluster.submit()
    refused(printed, "sbatch refuses g1-2: QOSMaxSubmitJobPerUserLimit")
    assert "job 101: 2 cells" in printed.stdout
    (cluster.slurm.folder / "sbatch.refusal").unlink()
    cluster.slurm.answer("squeue", "101|0|PENDING||x\n101|1|PENDING||x\n")
    cluster.submit()
    assert cluster.submitted()["102"] == keys(cluster.cells()[2:])


def test_a_slurm_that_does_not_answer_means_nothing_is_submitted(cluster: Cluster) -> None:
    cluster.submit()
    cluster.slurm.refuse("squeue", "slurm_load_jobs error: Unable to contact slurm controller")
    refused(cluster.submit(), "squeue does not say what is in the queue: slurm_load_jobs error")
    assert [*cluster.slurm.calls] == ["101"]


def test_two_at_once_do_not_submit_everything_twice(cluster: Cluster) -> None:
    with CellLock(cluster.results / "locks" / "submit"):
        refused(cluster.submit(), "submit is being run by process")
    assert not cluster.slurm.calls


def test_where_there_is_no_sbatch_only_a_dry_run_works(cluster: Cluster) -> None:
    (cluster.folder / "nothing").mkdir()
    nowhere = str(cluster.folder / "nothing")
    refused(cluster.submit(PATH=nowhere), "no sbatch here: submit on a login node, or")
    assert cluster.submit("--dry-run", PATH=nowhere).returncode == 0


def test_an_account_comes_from_the_option_the_site_or_sbatchs_variable(cluster: Cluster) -> None:
    cluster.site(account_required=True)
    refused(cluster.submit("--dry-run"), "the site wants an account: --account NAME, or")
    assert "--account=me " in cluster.submit("--dry-run", "--account", "me").stdout
    assert "--account=us " in cluster.submit("--dry-run", SBATCH_ACCOUNT="us").stdout
    cluster.site(account_required=True, account="them")
    assert "--account=them " in cluster.submit("--dry-run").stdout
    assert "--account=me " in cluster.submit("--dry-run", "--account", "me").stdout


def test_a_missing_image_is_said_before_anything_is_submitted(cluster: Cluster) -> None:
    cluster.site(image="/nowhere/bench.sif")
    message = "there is no image /nowhere/bench.sif: make container builds one"
    refused(cluster.submit(), message)
    assert not cluster.slurm.calls and not [*cluster.results.glob("plans/*")]
    assert message in cluster.submit("--dry-run").stdout
    assert cluster.submit(BENCH_IMAGE="").returncode == 0
    assert cluster.slurm.environment("101")["BENCH_IMAGE"] == ""


def test_a_variable_that_is_not_set_is_named(cluster: Cluster) -> None:
    cluster.site(image="$NO_SUCH_THING/bench.sif")
    refused(cluster.submit("--dry-run"), "$NO_SUCH_THING/bench.sif, and NO_SUCH_THING is not set")


def test_data_that_compute_nodes_could_not_fetch_is_asked_for_first(cluster: Cluster) -> None:
    cluster.path.write_text(
        'gpus = [1]\nbudget = 2\nseeds = 1\n[[objectives]]\nname = "mnist_cnn"\n'
        '[[algorithms]]\nname = "random"\n'
    )
    refused(cluster.submit(), "dataset mnist is not in place")
    assert not cluster.slurm.calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cells", "*-bohb-*"], "matches no key"),
        (["--gpus", "x"], "--gpus x: legal"),
    ],
)
def test_mistakes_in_options(cluster: Cluster, arguments: list[str], message: str) -> None:
    refused(cluster.submit(*arguments), message)


def test_a_site_is_not_guessed(cluster: Cluster) -> None:
    refused(cluster.bench("submit", "suite.toml"), "Missing option '--site'")


def test_a_read_only_results_folder_is_said(cluster: Cluster) -> None:
    (cluster.folder / "file").touch()
    refused(cluster.submit("--results", "file"), "choose another folder with --results")
    (cluster.folder / "site.toml").write_text(site_text(max_nodes=0))
    refused(cluster.submit(), "site.toml: max_nodes: input should be greater than or equal to 1")
