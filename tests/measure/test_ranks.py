"""Several processes give the numbers of one, and none of them waits for the dead."""

import json
import os
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import BoundkitError, DataError, ProcessLost, UsageError
from boundkit.measure import ranks
from boundkit.measure.ranks import ALONE, Ranks

SETUP = textwrap.dedent("""
    import json, os, sys, time
    import torch
    from torch import nn
    from torch.utils.data import IterableDataset
    from boundkit.data import open_data
    from boundkit.data.features import features_of
    from boundkit.errors import BoundkitError
    from boundkit.measure.features import collected
    from boundkit.measure.ranks import joined, merged
    from boundkit.measure.stored_features import feature_statistics

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    g = torch.Generator().manual_seed(1)
    x = torch.randn(101, 6, generator=g, dtype=torch.float64)
    y = torch.randint(0, 3, (101,), generator=g)

    class Stream(IterableDataset):
        def __iter__(self):
            return iter(zip(x, y))

    def told(moments, agreement, margins):
        print(json.dumps([
            moments.count.tolist(), moments.mean.flatten().tolist(),
            moments.spread.tolist(), moments.within.flatten().tolist(),
            agreement.mismatches.tolist(), agreement.to_mean.tolist(),
            margins.tolist(),
        ]))
""")

COLLECT = """
with joined(20) as here:
    data = open_data({data})
    found = collected(net, data, "2", device="cpu", batch_size=8, memory={memory}, ranks=here)
    if here.is_writer:
        told(found.moments, found.agreement, found.evidence.margins)
"""

WIDE = """
from boundkit.measure import feature_watch
feature_watch.WIDE = 7
net = nn.Sequential(nn.Linear(6, {width}), nn.ReLU(), nn.Linear({width}, 3)).double()
"""

FEATURES = """
h = torch.randn(101, 30, generator=g).float() + y.unsqueeze(1)
W = torch.randn(3, 30, generator=g)
with joined(20) as here:
    found = feature_statistics(features_of(h, y, W), scatter="{scatter}", ranks=here)
    if here.is_writer:
        told(found.moments, found.agreement, found.margins)
"""

FAIL = """
with joined(20) as here:
    def make():
        if here.number == 1:
            {act}
        return torch.zeros(1)
    try:
        merged(make, here)
        print("no error")
    except BoundkitError as error:
        print(type(error).__name__, error)
"""


def _started(script, size, patience=90):
    """Run a script as that many processes; return what each printed, and exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SETUP + script],
            env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    try:
        output = [process.communicate(timeout=patience) for process in started]
    finally:
        for process in started:
            process.kill()
    codes = [process.returncode for process in started]
    return [out for out, _ in output], codes, [err for _, err in output]


def _alone(script):
    done = subprocess.run(
        [sys.executable, "-c", SETUP + script],
        check=True,
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k not in ranks._VARIABLES},
    )
    return json.loads(done.stdout)


def _assert_like_one_process(script, size):
    printed, codes, errors = _started(script, size)

    assert codes == [0] * size, errors
    assert printed[1:] == [""] * (size - 1)
    for one, other in zip(json.loads(printed[0]), _alone(script), strict=True):
        scale = np.abs(other).max(initial=0.0)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10 * scale)


@pytest.mark.distributed
def test_two_processes_give_the_numbers_of_one():
    _assert_like_one_process(COLLECT.format(data="(x, y)", memory=2**20), 2)


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("memory", [0, 2**20])
@pytest.mark.parametrize("data", ["(x, y)", "(x[:2], y[:2])", "Stream()"])
def test_three_processes_give_the_numbers_of_one(data, memory):
    # Two samples leave one process without any; so does a stream of one batch.
    script = COLLECT.format(data=data, memory=memory)
    if data != "Stream()":
        _assert_like_one_process(script, 3)
        return
    # The parts of a stream are interleaved: margins come in another order.
    printed, codes, errors = _started(script, 3)
    assert codes == [0] * 3, errors
    *sums, margins = json.loads(printed[0])
    *expected, others = _alone(script)
    for one, other in zip(
        [*sums, sorted(margins)], [*expected, sorted(others)], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("memory", [0, 2**20])
# More directions than the features have, a few of many, and all that there are.
@pytest.mark.parametrize("width", [8, 40, 120])
def test_wide_features_are_shared_out(width, memory):
    script = WIDE.format(width=width) + COLLECT.format(data="(x, y)", memory=memory)
    printed, codes, errors = _started(script, 2)

    assert codes == [0] * 2, errors
    for one, other in zip(json.loads(printed[0]), _alone(script), strict=True):
        scale = np.abs(other).max(initial=0.0)
        # A basis of the same span is turned by rounding where directions are alike.
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_stored_features_are_shared_out(scatter):
    script = FEATURES.format(scatter=scatter)
    printed, codes, errors = _started(script, 3)

    assert codes == [0] * 3, errors
    for one, other in zip(json.loads(printed[0]), _alone(script), strict=True):
        scale = np.abs(other).max(initial=0.0)
        # A basis of the same span is turned by rounding where directions are alike.
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.distributed
def test_an_error_in_one_process_ends_all_with_its_message():
    act = "raise BoundkitError('this file is broken')"
    printed, codes, errors = _started(FAIL.format(act=act), 2)

    assert codes == [0, 0], errors
    assert printed[1] == "BoundkitError this file is broken\n"
    assert printed[0] == "ProcessLost process 1 of 2 stopped: this file is broken\n"


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("os._exit(9)", "lost another one"),
        ("time.sleep(60)", "lost another one or waited too long for it"),
        ("raise KeyError('a bug')", "process 1 of 2 stopped: KeyError: 'a bug'"),
    ],
)
def test_no_process_waits_for_one_that_is_gone(act, told):
    script = FAIL.format(act=act).replace("joined(20)", "joined(5)")
    printed, _, _ = _started(script, 2, patience=200)

    assert told in printed[0]
    assert printed[0].startswith("ProcessLost ")


def _environment(monkeypatch, **variables):
    for name in ranks._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_torchrun_a_process_is_alone(monkeypatch):
    _environment(monkeypatch)
    with ranks.joined() as here:
        assert here == ALONE
    _environment(monkeypatch, RANK="3", WORLD_SIZE="8")
    with ranks.joined() as here:
        assert here == ALONE


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("x", "2"), ("0", "-1")])
def test_variables_that_make_no_sense_are_named(monkeypatch, rank, size):
    _environment(
        monkeypatch, RANK=rank, WORLD_SIZE=size, MASTER_ADDR="a", MASTER_PORT="1"
    )

    with pytest.raises(UsageError, match=f"RANK='{rank}'"), ranks.joined():
        pass


def test_others_that_cannot_be_reached_are_an_error(monkeypatch):
    import torch.distributed as dist

    def unreachable(*_, **__):
        raise RuntimeError("no route\nmore")

    monkeypatch.setattr(dist, "init_process_group", unreachable)
    _environment(
        monkeypatch, RANK="1", WORLD_SIZE="2", MASTER_ADDR="a", MASTER_PORT="1"
    )

    with (
        pytest.raises(ProcessLost, match=r"process 1 of 2 cannot .* \(no route\)"),
        ranks.joined(),
    ):
        pass


@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_shares_are_disjoint_complete_and_even(n, size):
    shares = [ranks.share(n, Ranks(number, size)) for number in range(size)]

    assert [row for low, high in shares for row in range(low, high)] == list(range(n))
    lengths = [high - low for low, high in shares]
    assert max(lengths) - min(lengths) <= 1


def test_shards_hold_all_samples_in_order():
    x = torch.arange(14.0).reshape(7, 2)
    data = open_data((x, [0, 1, 2, 0, 1, 2, 0]))

    shards = [ranks.shard(data, Ranks(number, 3)) for number in range(3)]

    rows = [x for shard in shards for x, _ in shard.batches(2)]
    assert torch.equal(torch.cat(rows), x)
    assert [shard.first for shard in shards] == [0, 2, 4]
    assert ranks.shard(data, ALONE) is data


def test_samplers_of_the_users_own_are_not_shared_out():
    data = torch.utils.data.TensorDataset(torch.ones(8, 2), torch.zeros(8))
    sampler = torch.utils.data.SubsetRandomSampler(range(8))
    loader = torch.utils.data.DataLoader(data, sampler=sampler)

    with pytest.raises(DataError, match="give the dataset itself"):
        ranks.shard(open_data(loader), Ranks(0, 2))


def test_alone_a_state_is_what_was_made():
    state = torch.ones(2)

    assert ranks.merged(lambda: state, ALONE) is state
    assert ranks.merged(lambda: None, ALONE) is None


def test_kinds_of_errors_stay_the_same_across_processes():
    failure = ranks._Failure(1, "DataError", "y[3] is 9")

    found = ranks._as_error(failure, Ranks(0, 2))

    assert type(found) is DataError
    assert isinstance(found, BoundkitError)


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "5")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)

    assert ranks.local_device("auto", Ranks(5, 8)) == "cuda:1"
    assert ranks.local_device("cuda:3", Ranks(5, 8)) == "cuda:3"
    assert ranks.local_device("cpu", Ranks(5, 8)) == "cpu"
    assert ranks.local_device("auto", ALONE) == "auto"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert ranks.local_device("auto", Ranks(5, 8)) == "auto"
