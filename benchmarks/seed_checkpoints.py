"""One small net of about a thousand parameters in every container, as fuzzing seeds."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_seeds"]


class Net(nn.Module):
    """Two convolutions, a norm and a head with a tied alias."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU()
        )
        self.middle = nn.Conv2d(6, 8, 3, stride=2)
        self.head = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, 10) scores of (n, 1, 8, 8) images."""
        x = torch.relu(self.middle(self.features(x)))
        return self.head(torch.flatten(x, 1))


def write_seeds(folder: Path) -> list[Path]:
    """Write every seed below ``folder`` and return their paths, files and folders."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    net = Net().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            *_torch_files(net, folder),
            _deflated(net, folder),
            *_compiled(net, folder),
            *_safetensors(net, folder),
            _bin_shards(net, folder),
            _distributed(net, folder),
        ]


def _torch_files(net: nn.Module, folder: Path) -> list[Path]:
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 1, 8, 8)).sum().backward()
    optimizer.step()
    state = net.state_dict()
    state["tied.weight"] = state["head.weight"]
    state["view"] = state["head.weight"].t()[::2].bfloat16()
    full = {"state_dict": state, "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(full, folder / "zip.pt")
    torch.save(net, folder / "module.pt")
    torch.save(full, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    arrays = {"model": {"w": np.ones((3, 4)), "b": np.zeros(3, ">f4")}, "loss": 0.5}
    torch.save(arrays, folder / "arrays.pt")
    plain = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    (folder / "plain.pkl").write_bytes(pickle.dumps({"model": plain, "epoch": 3}))
    names = ("zip.pt", "module.pt", "legacy.pth", "arrays.pt", "plain.pkl")
    return [folder / name for name in names]


def _deflated(net: nn.Module, folder: Path) -> Path:
    plain, packed = folder / "plain.tmp", folder / "deflated.pt"
    torch.save(net.state_dict(), plain)
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
    plain.unlink()
    return packed


def _compiled(net: nn.Module, folder: Path) -> list[Path]:
    script, exported = folder / "script.pt", folder / "exported.pt2"
    torch.jit.script(net).save(str(script))
    torch.export.save(torch.export.export(net, (torch.ones(2, 1, 8, 8),)), exported)
    return [script, exported]


def _halves(net: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    names = list(state)
    return (
        {name: state[name] for name in names[:4]},
        {name: state[name] for name in names[4:]},
    )


def _safetensors(net: nn.Module, folder: Path) -> list[Path]:
    first, second = _halves(net)
    save_file(first | second, folder / "one.safetensors", metadata={"format": "pt"})
    hub = folder / "hub"
    hub.mkdir(exist_ok=True)
    (hub / "config.json").write_text('{"model_type": "net"}')
    save_file(first, hub / "model-00001-of-00002.safetensors")
    save_file(second, hub / "model-00002-of-00002.safetensors")
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    _write_index(hub / "model.safetensors.index.json", (first, second), shards)
    return [folder / "one.safetensors", hub, _pieces(first | second, folder)]


def _pieces(state: dict[str, torch.Tensor], folder: Path) -> Path:
    """Write what two ranks write with HuggingFaceStorageWriter: rows of each tensor."""
    ranks = folder / "pieces"
    ranks.mkdir(exist_ok=True)
    halves: tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]] = ({}, {})
    starts: tuple[dict[str, object], dict[str, object]] = ({}, {})
    for name, tensor in state.items():
        middle = len(tensor) // 2 if tensor.dim() else 0
        rows = (tensor[:middle], tensor[middle:]) if middle else (tensor,)
        for i, (begin, part) in enumerate(zip((0, middle), rows, strict=False)):
            halves[i][name] = part.contiguous()
            starts[i][name] = {"saved_offsets": [begin, 0, 0, 0][: tensor.dim()]}
    for number, (half, start) in enumerate(zip(halves, starts, strict=True), 1):
        file = ranks / f"shard-{number:05}-model-00001-of-00001.safetensors"
        save_file(half, file, metadata={"DCP_SHARDING_INFO": json.dumps(start)})
    return ranks


def _bin_shards(net: nn.Module, folder: Path) -> Path:
    first, second = _halves(net)
    hub = folder / "bins"
    hub.mkdir(exist_ok=True)
    shards = ("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin")
    torch.save(first, hub / shards[0])
    torch.save(second, hub / shards[1])
    _write_index(hub / "pytorch_model.bin.index.json", (first, second), shards)
    return hub


def _write_index(
    path: Path, parts: tuple[dict[str, torch.Tensor], ...], shards: tuple[str, ...]
) -> None:
    weights = {
        name: shard for part, shard in zip(parts, shards, strict=True) for name in part
    }
    path.write_text(json.dumps({"metadata": {}, "weight_map": weights}))


def _distributed(net: nn.Module, folder: Path) -> Path:
    import torch.distributed.checkpoint as dcp

    state = {"model": net.state_dict(), "epoch": 3}
    dcp.save(state, checkpoint_id=str(folder / "dcp"), no_dist=True)
    return folder / "dcp"
