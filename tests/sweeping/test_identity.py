import os

from boundkit.sweeping.identity import (
    key_of,
    made_absolute,
    options_digest,
    signature,
    spec_digest,
)


def test_a_signature_tells_size_time_and_inode(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12")
    first = signature(path)
    os.utime(path, ns=(1, 1))
    touched = signature(path)
    path.write_bytes(b"123")
    os.utime(path, ns=(1, 1))
    grown = signature(path)

    assert len({first, touched, grown, None}) == 4


def test_a_folder_changes_with_any_file_in_it(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").write_bytes(b"1")
    first = signature(tmp_path)
    (tmp_path / "b/d").touch()

    assert first is not None
    assert signature(tmp_path) != first


def test_what_is_not_there_has_no_signature(tmp_path):
    assert signature(tmp_path / "none") is None


def test_keys_depend_on_content_and_options():
    assert len({key_of("a", "b"), key_of("a", "c"), key_of("b", "b")}) == 3


def test_where_and_how_fast_are_no_options():
    plain = {"n": 3, "only": ["norms"]}

    assert options_digest(plain) == options_digest({
        "only": ("norms",),
        "n": 3,
        "device": "cuda",
        "batch_size": 7,
        "trust": True,
    })
    assert options_digest(plain) != options_digest({**plain, "n": 4})


def test_a_spec_changes_with_the_file_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "net.py"
    file.write_text("a")
    digests = {spec_digest("net.py:make"), spec_digest("net.py")}
    file.write_text("b")

    assert len(digests) == 1
    assert spec_digest("net.py:make") not in digests
    assert spec_digest("os.path:join") is None
    assert spec_digest("nothing") is None


def test_a_folder_of_data_changes_with_its_sizes(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    first = spec_digest(f"{tmp_path}:train")
    (tmp_path / "a").write_bytes(b"12")

    assert first
    assert spec_digest(f"{tmp_path}:train") != first


def test_specs_are_made_independent_of_where_we_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").touch()
    options = {"model": "net.py:make", "data": "pkg.mod:data", "init": None, "n": 3}

    assert made_absolute(options) == {
        "model": f"{tmp_path}/net.py:make",
        "data": "pkg.mod:data",
        "init": None,
        "n": 3,
    }
