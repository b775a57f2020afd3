"""Where files go: into devices and pipes, through links, whole or not at all; build folders."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

import golden.base.files
import kllm.app
from golden.base.errors import InputError
from golden.base.files import (
    build_folder,
    make_folder,
    require_writable,
    save_figure,
    write_whole,
)


def test_a_device_is_written_into_and_stays() -> None:
    require_writable(Path(os.devnull))
    write_whole(Path(os.devnull), "nothing")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_full_device_is_told() -> None:
    """Whoever runs this as root finds the device still there."""
    with pytest.raises(InputError, match="/dev/full: No space left"):
        write_whole(Path("/dev/full"), "something")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    require_writable(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, "figures")
    reader.join(10)
    assert read == [b"figures"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "target.json", tmp_path / "link.json"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    require_writable(link)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list((tmp_path / "far").iterdir()) == [target]


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.touch(0o600)
    write_whole(path, "figures")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_there_stays_if_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.json"
    path.write_text("old")
    monkeypatch.setattr(golden.base.files.os, "replace", full)
    with pytest.raises(InputError, match=r"cannot write .*No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_build_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KLLM_BUILD", raising=False)
    checkout = Path(kllm.__file__).parents[1]
    assert build_folder("sim", "x") == checkout / "build" / "sim" / "x"
    monkeypatch.setenv("KLLM_BUILD", str(tmp_path / "own"))
    assert make_folder(build_folder("sim")) == tmp_path / "own" / "sim"


def test_an_installed_package_builds_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLLM_BUILD", raising=False)
    monkeypatch.setattr(golden.base.files, "ROOT", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert build_folder("sim") == tmp_path / "build" / "sim"


def test_a_build_folder_that_cannot_be_says_how_to_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KLLM_BUILD", str(tmp_path / "file"))
    with pytest.raises(InputError, match="KLLM_BUILD"):
        make_folder(build_folder("sim"))
    with pytest.raises(InputError, match=r"name another$"):
        make_folder(Path(os.devnull) / "out")


@pytest.mark.parametrize(
    ("place", "variable"), [("build", "KLLM_BUILD"), ("tmp", "TMPDIR"), ("else", "")]
)
def test_a_full_disk_names_the_variable_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, variable: str
) -> None:
    monkeypatch.setenv("KLLM_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / place / "x.il"))
    said = kllm.app.no_room(error)
    assert "make room" in said
    assert [name for name in ("KLLM_BUILD", "TMPDIR") if name in said] == [variable] * bool(
        variable
    )


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_figure_drawn_again_is_the_same_file(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    written = []
    for year in (2001, 2002):  # a PDF's has whole seconds
        monkeypatch.setattr("time.time", lambda year=year: (year - 1970) * 31557600.0)
        figure = Figure(figsize=(1, 1))
        # Marks that stand several times are named by a hash.
        figure.add_subplot().plot([1, 2, 3], "o")
        path = tmp_path / f"{year}.{ending}"
        save_figure(figure, path)
        written.append(path.read_bytes())
    assert written[0] == written[1]
