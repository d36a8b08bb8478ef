"""Damage to checkpoints, by chance but repeatable: bytes, archives, headers, opcodes."""

from __future__ import annotations

import io
import json
import pickletools
import shutil
import struct
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

__all__ = ["mutate"]

_EDGES = (0, 1, 2, 3, 7, 8, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
_WIDE = (*_EDGES, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
_OPCODES = tuple(op.code.encode("latin-1") for op in pickletools.opcodes)
_DTYPES = ("F32", "F64", "BF16", "F8_E4M3", "F4", "I64", "BOOL", "C64", "X9", "", 7)


def mutate(seed: Path, target: Path, random: Random) -> str:
    """Write a damaged copy of ``seed`` to ``target``, and return what was done."""
    if seed.is_dir():
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(seed, target)
        victims = sorted(path for path in target.rglob("*") if path.is_file())
        victim = random.choice(victims)
        if random.random() < 0.05:
            return _move(victim, victims, random)
        source = victim
    else:
        victim, source = target, seed
    data, done = source.read_bytes(), []
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        operation = random.choice(_operations(source.name, data))
        data = operation(data, random)
        done.append(operation.__name__.strip("_"))
    victim.write_bytes(data)
    return f"{victim.name}: {', '.join(done)}"


def _move(victim: Path, victims: list[Path], random: Random) -> str:
    other = random.choice(victims)
    if random.random() < 0.5:
        victim.unlink()
        return f"{victim.name}: removed"
    shutil.copyfile(other, victim.with_name("copy.tmp"))
    victim.with_name("copy.tmp").replace(victim)
    return f"{victim.name}: replaced by {other.name}"


def _operations(name: str, data: bytes) -> list[Callable[[bytes, Random], bytes]]:
    plain = [_flip, _truncate, _insert, _delete, _overwrite, _swap_blocks, _edge_value]
    if data.startswith(b"PK\x03\x04") and b"PK\x05\x06" in data:
        special = [_swap_members, _edit_members, _edit_pickle, _edit_pickle]
        return [*plain, *special, _zip_field]
    if data[8:9] == b"{":
        return [*plain, _edit_header, _edit_header, _edit_header]
    if name.endswith(".json"):
        return [*plain, _edit_json, _edit_json]
    if name.endswith((".pth", ".pkl", ".metadata")):
        return [*plain, _edit_opcodes, _edit_opcodes]
    return plain


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 32))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.choice((1, 4, 64, 4096))) + data[at:]


def _delete(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 4, 64, 4096)) :]


def _overwrite(data: bytes, random: Random) -> bytes:
    at, count = random.randrange(len(data) + 1), random.choice((1, 4, 8, 64))
    fill = random.choice((b"\0" * count, b"\xff" * count, random.randbytes(count)))
    return data[:at] + fill + data[at + count :]


def _edge_value(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    layout = random.choice(("<B", "<H", "<I", "<Q"))
    value = random.choice(_WIDE) % 256 ** struct.calcsize(layout)
    packed = struct.pack(layout, value)
    return data[:at] + packed + data[at + len(packed) :]


def _swap_blocks(data: bytes, random: Random) -> bytes:
    a, b = sorted(random.randrange(len(data) + 1) for _ in range(2))
    size = random.choice((1, 16, 256))
    left, right = data[a : a + size], data[b : b + size]
    return data[:a] + right + data[a + size : b] + left + data[b + size :]


def _members(data: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # noqa: BLE001 - an earlier mutation may have broken anything
        return []


def _archive(members: list[tuple[str, bytes]], random: Random) -> bytes:
    method = random.choice((
        zipfile.ZIP_STORED,
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def _swap_members(data: bytes, random: Random) -> bytes:
    members = _members(data)
    if len(members) < 2:
        return _flip(data, random)
    i, j = random.sample(range(len(members)), 2)
    (a, x), (b, y) = members[i], members[j]
    members[i], members[j] = (a, y), (b, x)
    return _archive(members, random)


def _edit_members(data: bytes, random: Random) -> bytes:
    members = _members(data)
    if not members:
        return _flip(data, random)
    at = random.randrange(len(members))
    name, content = members[at]
    choice = random.randrange(4)
    if choice == 0:
        del members[at]
    elif choice == 1:
        members[at] = (name + random.choice(("x", "/../y", "\0", "é")), content)
    elif choice == 2:
        members[at] = (name, _flip(_truncate(content, random), random))
    else:
        members.append(("archive/extra.pkl", b"cos\nsystem\n(S'false'\ntR."))
    return _archive(members, random)


def _edit_pickle(data: bytes, random: Random) -> bytes:
    members = _members(data)
    pickles = [i for i, (name, _) in enumerate(members) if name.endswith(".pkl")]
    if not pickles:
        return _swap_members(data, random)
    at = random.choice(pickles)
    members[at] = (members[at][0], _edit_opcodes(members[at][1], random))
    return _archive(members, random)


def _zip_field(data: bytes, random: Random) -> bytes:
    mark = random.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"))
    places = [i for i in range(len(data)) if data.startswith(mark, i)]
    if not places:
        return _flip(data, random)
    at = random.choice(places) + random.randrange(4, 46)
    packed = struct.pack("<I", random.choice(_EDGES))[: random.choice((1, 2, 4))]
    return data[:at] + packed + data[at + len(packed) :]


def _edit_opcodes(data: bytes, random: Random) -> bytes:
    """Change, drop, repeat or move whole opcodes, so that the pickle still parses."""
    places = [0]
    try:
        places += [place or 0 for _, _, place in pickletools.genops(data)]
    except ValueError:
        if len(places) < 3:
            return _flip(data, random)
    at = random.randrange(len(places) - 1) if len(places) > 1 else 0
    begin, end = places[at], places[min(at + 1, len(places) - 1)]
    piece, rest = data[begin:end], data[end:]
    choice = random.randrange(6)
    if choice == 0:
        piece = b""
    elif choice == 1:
        piece *= random.choice((2, 3, 1000))
    elif choice == 2:
        piece = random.choice(_OPCODES) + piece[1:]
    elif choice == 3:
        piece = b"\x8a\x08" + struct.pack("<Q", random.choice(_WIDE))
    elif choice == 4:
        other = random.randrange(len(places) - 1) if len(places) > 1 else 0
        piece = data[places[other] : places[other + 1]] if len(places) > 1 else piece
    else:
        piece += random.choice(_OPCODES)
    return data[:begin] + piece + rest


def _edit_header(data: bytes, random: Random) -> bytes:
    """Change one entry of a safetensors header and keep its length right, mostly."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        name = random.choice(sorted(header))
        entry = header[name]
        field = random.choice(sorted(entry))
    except (ValueError, IndexError, TypeError):
        return _flip(data, random)
    if field == "dtype":
        entry[field] = random.choice(_DTYPES)
    elif isinstance(entry[field], list) and entry[field]:
        entry[field][random.randrange(len(entry[field]))] = random.choice((*_WIDE, -1))
    else:
        entry[field] = random.choice(([], {}, None, [2**70], "x", [[1]]))
    text = json.dumps(header).encode()
    if random.random() < 0.2:
        text = text.replace(b"}}", b'}, "%s": {}}' % name.encode())
    declared = len(text) if random.random() < 0.9 else random.choice(_WIDE)
    return (declared % 2**64).to_bytes(8, "little") + text + data[8 + length :]


def _edit_json(data: bytes, random: Random) -> bytes:
    try:
        document = json.loads(data)
        weights = document["weight_map"]
        name = random.choice(sorted(weights))
    except (ValueError, KeyError, TypeError, IndexError):
        return _flip(data, random)
    value = random.choice((
        "../x",
        "/etc/passwd",
        "",
        ".",
        "\0",
        "C:\\x",
        7,
        None,
        [],
        "model.safetensors",
    ))
    if random.random() < 0.5:
        weights[name] = value
    else:
        weights[random.choice(("new", name.upper()))] = weights.pop(name)
    return json.dumps(document).encode()
