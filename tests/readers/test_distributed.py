"""Distributed checkpoints are put together from their chunks without torch."""

import io
import pickle
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.filesystem import FileSystemWriter, _StorageInfo
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)

from boundkit.errors import Refused, Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers import read


def save(state, folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = FileSystemWriter(folder, **options)
        dcp.save(state, storage_writer=writer, no_dist=True)
    return folder


def trained():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(5, 2)
    ).bfloat16()
    optimizer = torch.optim.AdamW(net.parameters())
    sum(p.float().square().sum() for p in net.parameters()).backward()
    optimizer.step()
    return net, optimizer


def test_a_saved_state_is_read_back(tmp_path):
    net, optimizer = trained()
    state = {"model": net.state_dict(), "optim": optimizer.state_dict(), "epoch": 3}

    checkpoint = read(save(state, tmp_path / "dcp"))

    assert checkpoint.format == "distributed checkpoint"
    assert checkpoint.wrapping == ("model",)
    assert checkpoint.metadata["epoch"] == 3
    assert set(checkpoint.tensors) == set(net.state_dict())
    for name, expected in net.state_dict().items():
        got = array(checkpoint.tensors[name]).astype(np.float64)
        np.testing.assert_array_equal(got, expected.double().numpy())
    assert {reason for _, reason in checkpoint.beside.values()} == {"optimizer state"}
    assert len(checkpoint.beside) == 18


def test_the_metadata_file_stands_for_its_folder(tmp_path):
    folder = save({"w": torch.ones(2, 2)}, tmp_path / "dcp", single_file_per_rank=False)

    assert list(read(folder / ".metadata").tensors) == ["w"]


def by_hand(folder, whole, boxes, **changes):
    """Write one tensor in boxes the way FileSystemWriter writes shards."""
    folder.mkdir()
    data, storage, chunks = io.BytesIO(), {}, []
    for offsets, sizes in boxes:
        part = whole[
            tuple(slice(o, o + n) for o, n in zip(offsets, sizes, strict=True))
        ]
        begin = data.tell()
        buffer = io.BytesIO()
        torch.save(part.clone(), buffer)
        data.write(buffer.getvalue())
        fields = {"relative_path": "__0_0.distcp", "offset": begin}
        fields["length"] = data.tell() - begin
        index = MetadataIndex("w", torch.Size(offsets))
        storage[index] = _StorageInfo(**(fields | changes.get("info", {})))
        chunks.append(ChunkStorageMetadata(torch.Size(offsets), torch.Size(sizes)))
    properties = TensorProperties(changes.get("dtype", whole.dtype))
    tensor = TensorStorageMetadata(properties, changes.get("size", whole.shape), chunks)
    metadata = Metadata({"w": tensor}, None, storage)
    metadata = changes.get("edit", lambda m: m)(metadata)
    (folder / ".metadata").write_bytes(pickle.dumps(metadata))
    (folder / "__0_0.distcp").write_bytes(data.getvalue())
    return folder


WHOLE = torch.arange(24.0).reshape(4, 6)
ROWS = [((0, 0), (1, 6)), ((1, 0), (3, 6))]


@pytest.mark.parametrize(
    "boxes",
    [
        ROWS,
        [((0, 0), (4, 2)), ((0, 2), (4, 4))],
        [((0, 0), (2, 3)), ((2, 0), (2, 3)), ((0, 3), (4, 3))],
    ],
)
def test_chunks_are_put_together(tmp_path, boxes):
    checkpoint = read(by_hand(tmp_path / "dcp", WHOLE, boxes))

    np.testing.assert_array_equal(array(checkpoint.tensors["w"]), WHOLE.numpy())


def edited(**fields):
    def edit(metadata):
        for name, value in fields.items():
            setattr(metadata, name, value)
        return metadata

    return edit


@pytest.mark.parametrize(
    ("boxes", "changes", "error", "cause"),
    [
        (ROWS[:1], {}, Unreadable, "'w': the chunks do not add up"),
        ([ROWS[0], ((0, 0), (3, 6))], {}, Unreadable, "'w': chunks overlap"),
        (ROWS, {"size": torch.Size((2, 6))}, Unreadable, "reaches outside"),
        (ROWS, {"dtype": torch.float64}, Unreadable, "a chunk is not of type float64"),
        (ROWS, {"info": {"relative_path": "../x"}}, Refused, "outside of the folder"),
        (ROWS, {"info": {"relative_path": "/x"}}, Refused, "outside of the folder"),
        (ROWS, {"info": {"relative_path": 3}}, Unreadable, "where an item lies"),
        (ROWS, {"info": {"relative_path": "y"}}, Unreadable, "files 'y' are missing"),
        (ROWS, {"info": {"offset": -1}}, Unreadable, "where an item lies"),
        (ROWS, {"info": {"offset": 2**40}}, Unreadable, "__0_0.distcp: "),
        (ROWS, {"info": {"offset": 0}}, Unreadable, r"is not of shape \(3, 6\)"),
        (ROWS, {"info": {"transform_descriptors": ["stream.zstd/1"]}}, Refused,
         "were transformed when saved"),
        (ROWS, {"edit": edited(storage_data=None)}, Unreadable, "what was saved where"),
        (ROWS, {"edit": edited(storage_data={})}, Unreadable, "does not say where the"),
        (ROWS, {"edit": lambda _: [1]}, Unreadable, "holds no Metadata"),
        (ROWS, {"edit": lambda m: edited(state_dict_metadata={
            "w": TensorStorageMetadata(TensorProperties(), "x", [])})(m)}, Unreadable,
         "does not describe tensor 'w'"),
        (ROWS, {"edit": lambda m: edited(state_dict_metadata={
            "w": TensorStorageMetadata(TensorProperties(), WHOLE.shape, [
                ChunkStorageMetadata("x", WHOLE.shape)])})(m)}, Unreadable,
         "no offsets and sizes"),
        (ROWS, {"edit": lambda m: edited(state_dict_metadata={
            "w": TensorStorageMetadata(None, WHOLE.shape, [
                ChunkStorageMetadata(torch.Size(o), torch.Size(n)) for o, n in ROWS
            ])})(m)}, Unreadable, "no known dtype"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path, boxes, changes, error, cause):
    folder = by_hand(tmp_path / "dcp", WHOLE, boxes, **changes)

    with pytest.raises(error, match=cause):
        read(folder)


def test_an_item_that_is_no_archive_of_torchs_is_unreadable(tmp_path):
    import zipfile

    folder = by_hand(tmp_path / "dcp", WHOLE, [((0, 0), (4, 6))])
    with zipfile.ZipFile(folder / "__0_0.distcp", "w") as archive:
        archive.writestr("x", bytes((folder / "__0_0.distcp").stat().st_size + 900))
    size = (folder / "__0_0.distcp").stat().st_size
    other = by_hand(tmp_path / "b", WHOLE, [((0, 0), (4, 6))], info={"length": size})
    (folder / "__0_0.distcp").replace(other / "__0_0.distcp")

    with pytest.raises(Unreadable, match=r"an item has no data.pkl"):
        read(other)


def test_endless_metadata_are_unreadable(tmp_path, monkeypatch):
    from boundkit.readers import distributed

    folder = by_hand(tmp_path / "dcp", WHOLE, ROWS)
    monkeypatch.setattr(distributed, "_LONGEST_METADATA", 10)

    with pytest.raises(Unreadable, match="metadata of"):
        read(folder)


@pytest.mark.distributed
def test_shards_of_two_ranks_are_put_together(tmp_path):
    script = tmp_path / "save.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, torch, torch.distributed as dist
            import torch.distributed.checkpoint as dcp
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.tensor import Shard, distribute_tensor
            rank = int(sys.argv[1])
            dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}/meet",
                                    rank=rank, world_size=2)
            mesh = init_device_mesh("cpu", (2,))
            whole = torch.arange(35.0).reshape(5, 7)
            state = {"model": {
                "rows.weight": distribute_tensor(whole, mesh, [Shard(0)]),
                "columns.weight": distribute_tensor(whole, mesh, [Shard(1)]),
                "replicated.bias": torch.ones(3)}}
            dcp.save(state, checkpoint_id=sys.argv[2] + "/dcp")
            dist.destroy_process_group()
            """
        )
    )
    ranks = [
        subprocess.Popen([sys.executable, "-W", "ignore", script, str(rank), tmp_path])
        for rank in range(2)
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]

    checkpoint = read(tmp_path / "dcp")

    whole = np.arange(35.0, dtype=np.float32).reshape(5, 7)
    np.testing.assert_array_equal(array(checkpoint.tensors["rows.weight"]), whole)
    np.testing.assert_array_equal(array(checkpoint.tensors["columns.weight"]), whole)
    assert checkpoint.tensors["replicated.bias"].shape == (3,)
    assert len(checkpoint.files) == 3
