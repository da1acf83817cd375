import sys
from types import SimpleNamespace

import pytest

from harness.errors import UsageError
from harness.parallel import at_once


def halved(number):
    return number / 2


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_answers_come_in_the_order_of_the_items(backend):
    assert list(at_once(halved, range(20), backend=backend, n_jobs=2)) == [number / 2 for number in range(20)]


def test_answers_may_come_in_any_order():
    found = at_once(halved, range(20), backend="threading", n_jobs=2, return_as="generator_unordered")
    assert sorted(found) == [number / 2 for number in range(20)]


@pytest.mark.parametrize(("backend", "n_jobs"), [("nonsense", 1), ("loky", 0)])
def test_back_end_that_is_not_there_is_wrong_usage(backend, n_jobs):
    with pytest.raises(UsageError, match=f"joblib back end '{backend}' with {n_jobs} jobs: "):
        list(at_once(halved, [1], backend=backend, n_jobs=n_jobs))


def test_error_of_a_call_is_not_blamed_on_the_back_end():
    with pytest.raises(ValueError, match="invalid literal"):
        list(at_once(int, ["one"], backend="threading", n_jobs=1))


def stand_in(monkeypatch, address, client):
    """A Dask that is installed, told of a cluster at an address."""
    config = SimpleNamespace(get=lambda _, default: address or default)
    monkeypatch.setitem(sys.modules, "dask", SimpleNamespace(config=config))
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=client))


def test_cluster_that_is_not_installed_not_told_of_or_not_there_is_wrong_usage(monkeypatch):
    def silent(address, timeout):
        raise OSError(f"Timed out trying to connect to {address} after {timeout} s")

    def ask():
        list(at_once(halved, [1], backend="dask", n_jobs=-1))

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"joblib back end 'dask' .*install the extra 'cluster'"):
        ask()
    stand_in(monkeypatch, None, silent)
    with pytest.raises(UsageError, match="set DASK_SCHEDULER_ADDRESS"):
        ask()
    stand_in(monkeypatch, "tcp://127.0.0.1:9", silent)
    with pytest.raises(UsageError, match=r"Timed out trying to connect to tcp://127\.0\.0\.1:9 after 10 s"):
        ask()


def test_cluster_answers():
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    dask = pytest.importorskip("dask")
    with (
        distributed.LocalCluster(
            n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
        ) as cluster,
        dask.config.set({"scheduler-address": cluster.scheduler_address}),
    ):
        assert list(at_once(halved, range(5), backend="dask", n_jobs=-1)) == [0, 0.5, 1, 1.5, 2]
