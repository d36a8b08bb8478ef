"""What somebody new does wrong, and the one line that says what to do instead."""

from pathlib import Path

import numpy as np
import pytest
import torch
from boundkit_cli.app import run

ROOT = Path(__file__).parents[2]
NET = "fixtures/checkpoints/two_class.pt"
MODEL = ("--model", "fixtures/nets.py:two_class")
DATA = ("--data", "fixtures/data/pair_train.npz")


@pytest.fixture
def said(monkeypatch, capfd):
    """Exit code and the one line on stderr, from the root of the repository."""
    monkeypatch.chdir(ROOT)

    def told(*arguments):
        code = run(list(arguments))
        out, err = capfd.readouterr()
        assert out == ""
        assert err.startswith("boundkit: error: ")
        assert err.count("\n") == 1
        return code, err.removeprefix("boundkit: error: ").rstrip("\n")

    return told


WRONG_USAGE = {
    "no command, only a file": (
        [NET],
        (
            "No such command 'fixtures/checkpoints/two_class.pt'; to analyze a checkpoint: "
            "boundkit analyze fixtures/checkpoints/two_class.pt (see boundkit --help)"
        ),
    ),
    "misspelled command": (
        ["analyse", NET],
        "No such command 'analyse'. Did you mean 'analyze'? (see boundkit --help)",
    ),
    "nothing to analyze": (
        ["analyze"],
        "Missing argument 'CKPT' (see boundkit analyze --help)",
    ),
    "two checkpoints": (
        ["analyze", NET, "fixtures/checkpoints/mlp.pt"],
        (
            "Got unexpected extra argument(s) (fixtures/checkpoints/mlp.pt); it takes one: "
            "compare sets several side by side, sweep tabulates many "
            "(see boundkit analyze --help)"
        ),
    ),
    "wrong option": (
        ["analyze", NET, "--nn", "5"],
        (
            "No such option: --nn (Possible options: --init, --n, --only) "
            "(see boundkit analyze --help)"
        ),
    ),
    "no number": (
        ["analyze", NET, "--n", "ten"],
        "Invalid value for '--n': 'ten' is not a valid int (see boundkit analyze --help)",
    ),
    "delta in percent": (
        ["analyze", NET, "--delta", "5"],
        (
            "Invalid value for '--delta': delta must lie in (0, 1), but got 5.0 "
            "(see boundkit analyze --help)"
        ),
    ),
    "part": (
        ["analyze", NET, "--only", "norm"],
        (
            "Invalid value for '--only': parts must be out of norms, bounds, spectra, "
            "margins, collapse, noise, but got 'norm' (see boundkit analyze --help)"
        ),
    ),
    "format": (
        ["analyze", NET, "--format", "jsn"],
        (
            "Invalid value for '--format': the format must be one of text, json, markdown, "
            "html, junit, but got 'jsn' (see boundkit analyze --help)"
        ),
    ),
    "device that no machine has": (
        ["analyze", NET, "--device", "gpu"],
        (
            "Invalid value for '--device': the device must be auto, cpu, cuda, cuda:0 or "
            "mps, but got 'gpu' (see boundkit analyze --help)"
        ),
    ),
    "key": (
        ["analyze", NET, "--key", "ema"],
        (
            "fixtures/checkpoints/two_class.pt: there is no model under the key 'ema'; "
            "there are: '.' (2 tensors, 16,640 parameters)"
        ),
    ),
    "data without a model": (
        ["analyze", NET, *DATA],
        "data need a model to run them through: give --model, or model= in Python",
    ),
    "data and n": (
        ["analyze", NET, *MODEL, *DATA, "--n", "5"],
        "n is counted from the data: give --data or --n, not both",
    ),
    "bound": (
        ["explain", "bartlet2017"],
        (
            "Invalid value for 'NAME': there is no bound or measurement 'bartlet2017': did "
            "you mean bartlett2017? the bounds are sparse_cnn, sparse_cnn_log, dense, "
            "toeplitz, galanti2023, neyshabur2015, bartlett2017, neyshabur2018, "
            "golowich2018_l1, holdout, draw, code; boundkit explain lists the measurements "
            "(see boundkit explain --help)"
        ),
    ),
    "check without a policy": (
        ["check", NET],
        (
            "Invalid value for '--policy': give --policy FILE to check, or --init to write "
            "a policy to start from (see boundkit check --help)"
        ),
    ),
    "one checkpoint to compare": (
        ["compare", NET],
        "compare needs at least two checkpoints, but got 1",
    ),
}


@pytest.mark.parametrize("case", WRONG_USAGE)
def test_wrong_usage_is_exit_2(case, said):
    arguments, message = WRONG_USAGE[case]

    assert said(*arguments) == (2, message)


UNREADABLE = {
    "path": (["analyze", "net.pt"], "net.pt: no such file or folder; check the path"),
    "folder": (
        ["analyze", "docs"],
        "docs: holds no checkpoint file; give the path of a checkpoint",
    ),
    "folder of folders": (
        ["analyze", "fixtures"],
        (
            "fixtures: holds no checkpoint itself, but its folders 'checkpoints', "
            "'containers', 'run', 'sweep' do; give the path of one of them"
        ),
    ),
    "text": (
        ["analyze", "README.md"],
        "README.md: this is text, not a checkpoint; give the checkpoint itself",
    ),
    "data in place of weights": (
        ["analyze", "fixtures/data/pair_train.npz"],
        (
            "fixtures/data/pair_train.npz: these are numpy arrays; if these are weights, "
            "load them with numpy and save them with safetensors.numpy.save_file"
        ),
    ),
    "address": (
        ["analyze", "https://example.org/net.pt"],
        (
            "https://example.org/net.pt: an address, not a path; download it first; "
            "boundkit sweep reads addresses as they are"
        ),
    ),
    "empty file": (
        ["analyze", "fixtures/containers/empty.pt"],
        "fixtures/containers/empty.pt: the file is empty; copy or download it again",
    ),
    "half a file": (
        ["analyze", "fixtures/containers/truncated.pt"],
        (
            "fixtures/containers/truncated.pt: truncated archive, or the directory at its "
            "end is damaged (File is not a zip file); copy or download the file again"
        ),
    ),
    "two models": (
        ["analyze", "fixtures/containers/two_models.pt"],
        (
            "fixtures/containers/two_models.pt: holds 2 models: 'generator' (3 tensors, "
            "3,272 parameters), 'discriminator' (3 tensors, 3,272 parameters); pick one "
            "with --key NAME"
        ),
    ),
    "model of other shapes": (
        ["analyze", NET, "--model", "fixtures/nets.py:mlp", *DATA],
        (
            "fixtures/checkpoints/two_class.pt: shapes differ: 'head.weight' (1, 12544) in "
            "the file, (10, 100) in the model; give the model that was trained"
        ),
    ),
    "model file": (
        ["analyze", NET, "--model", "net.py:make"],
        "net.py: no such file; check the path in 'net.py:make'",
    ),
    "model name": (
        ["analyze", NET, "--model", "fixtures/nets.py:two_clas"],
        "fixtures/nets.py: has no 'two_clas'; name a callable that it defines",
    ),
    "model without a name": (
        ["analyze", NET, "--model", "fixtures/nets.py"],
        (
            "'fixtures/nets.py': not of the form package.module:callable or "
            "file.py:callable; name one that takes no arguments"
        ),
    ),
    "model module": (
        ["analyze", NET, "--model", "my_nets.vision:make"],
        (
            "importing my_nets.vision raised ModuleNotFoundError: No module named "
            "'my_nets'; run boundkit where it can be imported (this folder is searched "
            "first, then the Python that boundkit is installed in), or name the file: "
            "path/to/file.py:callable"
        ),
    ),
    "data path": (
        ["analyze", NET, *MODEL, "--data", "train.npz"],
        "train.npz: no such file or folder; check the path",
    ),
    "data that are none": (
        ["analyze", NET, *MODEL, "--data", "README.md"],
        (
            "README.md: not a data set that is known; give .npz, .safetensors or .pt with x "
            "and y, a folder of IDX files, a folder of class folders of images, or "
            "file.py:callable"
        ),
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_exit_3(case, said):
    arguments, message = UNREADABLE[case]

    assert said(*arguments) == (3, message)


@pytest.mark.parametrize("more", [(), (*MODEL, *DATA)], ids=["weights alone", "data"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(
    more, said, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)

    assert said("analyze", NET, "--n", "1000", "--device", "cuda", *more) == (
        2,
        "device 'cuda' is not on this machine; use auto or cpu instead",
    )


X = np.zeros((3, 1, 28, 28), np.float32)
ARRAYS = {
    "names": (
        {"images": X, "labels": [1, -1, 1]},
        (
            "has no array x and no array y (it has ['images', 'labels']); save with "
            "numpy.savez(path, x=..., y=...)"
        ),
    ),
    "lengths": (
        {"x": X, "y": [1, -1]},
        "x has 3 samples but y has 2 labels; give one label per sample",
    ),
    "classes": (
        {"x": X, "y": [0, 1, 2]},
        "y[2] is 2, but the net has 1 output(s); labels must be -1/+1",
    ),
    "one-hot": (
        {"x": X, "y": np.eye(3)[:, :2]},
        "y has shape (3, 2) and looks one-hot; give class indices, y.argmax(axis=1)",
    ),
    "none": ({"x": X[:0], "y": []}, "no samples in it; give at least one"),
    "NaN": (
        {"x": X * np.nan, "y": [1, -1, 1]},
        "x[0] holds NaN or Inf; remove or repair that sample",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_data_that_do_not_fit_are_exit_3(case, said, tmp_path):
    arrays, message = ARRAYS[case]
    path = tmp_path / "train.npz"
    np.savez(path, **arrays)

    assert said("analyze", NET, *MODEL, "--data", str(path)) == (
        3,
        f"{path}: {message}",
    )
