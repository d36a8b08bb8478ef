"""Norms of a large sharded checkpoint, against reading its bytes once.

Targets: at most 1.5 times the CPU seconds of reading, at most 100 MB over the bare
interpreter, no torch.

    python benchmarks/read_norms.py [--gigabytes 2.2] [--dtype float32] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import child, cpu_seconds, description, settle

_BUFFER = 4 * 1024 * 1024
_SHARDS = 5
_SHAPES = ((4096, 1024), (4096,), (1024, 4096), (1024, 1024), (1024,))
_BYTES = {"float32": 4, "bfloat16": 2}
_NAMES = {"float32": "F32", "bfloat16": "BF16"}

_PEAK = """
def peak():
    fields = dict(line.split(":") for line in open("/proc/self/status") if ":" in line)
    return [int(fields[k].split()[0]) / 1024 for k in ("VmHWM", "RssAnon", "RssFile")]
"""
_NORMS = """
import sys
from boundkit.readers import read
from boundkit.numerics.norms import frobenius_norm
for tensor in read(sys.argv[1]).tensors.values():
    frobenius_norm(tensor)
loaded = [m for m in ("torch", "pandas", "scipy", "matplotlib") if m in sys.modules]
assert not loaded, loaded
"""
_ANALYZE = """
import sys
import boundkit
boundkit.analyze(sys.argv[1], only=("norms",))
loaded = [m for m in ("torch", "pandas", "scipy", "matplotlib") if m in sys.modules]
assert not loaded, loaded
"""
_SAY = "print(*peak())"


def _numbers(generator, count: int, dtype: str) -> bytes:
    import numpy as np

    values = generator.standard_normal(count, dtype=np.float32)
    if dtype == "bfloat16":
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.tobytes()


def _shard(path: Path, shapes: dict[str, tuple[int, ...]], dtype: str, seed: int):
    import numpy as np

    generator = np.random.default_rng(seed)
    header, at = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape)) * _BYTES[dtype]
        header[name] = {
            "dtype": _NAMES[dtype],
            "shape": shape,
            "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            stream.write(_numbers(generator, int(np.prod(shape)), dtype))


def make(folder: Path, gigabytes: float, dtype: str) -> None:
    """Write a sharded safetensors checkpoint of about so many bytes, with its index."""
    block = sum(_BYTES[dtype] * _size(shape) for shape in _SHAPES)
    blocks = max(_SHARDS, round(gigabytes * 1e9 / block))
    index = {}
    for shard in range(_SHARDS):
        name = f"model-{shard + 1:05d}-of-{_SHARDS:05d}.safetensors"
        mine = range(shard * blocks // _SHARDS, (shard + 1) * blocks // _SHARDS)
        shapes = {
            f"layers.{b}.{k}.{'weight' if len(shape) == 2 else 'bias'}": shape
            for b in mine
            for k, shape in enumerate(_SHAPES)
        }
        _shard(folder / name, shapes, dtype, shard)
        index |= dict.fromkeys(shapes, name)
    document = {"metadata": {}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document))


def _size(shape: tuple[int, ...]) -> int:
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def read_bytes(files: list[Path]) -> int:
    """Read every byte once, into one buffer."""
    buffer = bytearray(_BUFFER)
    total = 0
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        while count := os.readv(descriptor, [buffer]):
            total += count
        os.close(descriptor)
    return total


def norms(source: str) -> float:
    """Return the largest norm of a tensor of the checkpoint."""
    from boundkit.numerics.norms import frobenius_norm
    from boundkit.readers import read

    return max(frobenius_norm(tensor) for tensor in read(source).tensors.values())


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _speed(source: str, files: list[Path], size: float) -> None:
    import boundkit
    from boundkit.readers.digest import sha256

    found = cpu_seconds([
        lambda: read_bytes(files),
        lambda: norms(source),
        lambda: sha256(sorted(files)),
        lambda: boundkit.analyze(source, only=("norms",)),
    ])
    bare, _, hashed, analyzed = found
    found.append((analyzed[0] - hashed[0], analyzed[1] - hashed[1]))
    names = (
        "readv into a 4 MB buffer",
        "norms of all tensors",
        "sha256 of the files",
        "analyze(only=norms), sha256 included",
        "analyze(only=norms) less sha256",
    )
    print(
        f"\n{'median and best of 5, CPU s':38}"
        + f"{'CPU s':>8}{'GB/s':>8}{'ratio':>8}" * 2
    )
    for name, seconds in zip(names, found, strict=True):
        cells = (
            f"{s:8.3f}{size / s / 1e9:8.2f}{s / b:8.2f}"
            for s, b in zip(seconds, bare, strict=True)
        )
        print(f"{name:38}" + "".join(cells))
    met = [n <= 1.5 * b for n, b in zip(found[1], bare, strict=True)]
    print(f"target <= 1.5: median {_verdict(met[0])}, best {_verdict(met[1])}")
    loaded = [m for m in ("torch", "pandas", "scipy") if m in sys.modules]
    print(f"torch, pandas, scipy imported: {', '.join(loaded) or 'none'}")


def _memory(source: str) -> None:
    cases = (
        ("bare interpreter", ""),
        ("and numpy", "import numpy\n"),
        ("norms of all tensors", _NORMS),
        ("analyze(only=norms)", _ANALYZE),
    )
    print(
        f"\n{'peak resident memory, MB':38}{'peak':>8}{'over':>8}{'anon':>8}{'file':>8}"
    )
    first = None
    for name, code in cases:
        _, out = child(["-c", _PEAK + code + _SAY, source])
        peak, anonymous, backed = map(float, out.split())
        first = first or peak
        print(f"{name:38}{peak:8.1f}{peak - first:8.1f}{anonymous:8.1f}{backed:8.1f}")
    print("anon and file: at the end; file-backed pages are mapped libraries")


def main() -> None:
    """Make the checkpoint, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.2)
    parser.add_argument("--dtype", choices=sorted(_BYTES), default="float32")
    parser.add_argument("--folder", help="where to put the files (default: temporary)")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        make(folder, given.gigabytes, given.dtype)
        files = sorted(folder.glob("*.safetensors"))
        size = read_bytes(files)
        print(
            f"{description()}\n{size / 1e9:.2f} GB of {given.dtype}, {_SHARDS} shards"
        )
        _speed(name, files, size)
        _memory(name)


if __name__ == "__main__":
    settle()
    main()
