"""A posted path is worth nothing unless its poster uploaded it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from app.asking.uploads import Uploads, watch_uploads
from qwenvl.errors import MediaError


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "cat.png"
    path.write_bytes(b"pixels")
    return str(path)


def test_an_upload_is_its_first_users_own(picture: str) -> None:
    uploads = Uploads()
    uploads.update([picture])
    assert uploads.claim("ann", [picture]) == [picture]
    assert uploads.claim("ann", [picture]) == [picture]
    with pytest.raises(MediaError, match="upload it here first"):
        uploads.claim("bob", [picture])


def test_whoever_uploads_the_same_bytes_may_use_them_too(picture: str) -> None:
    uploads = Uploads()
    uploads.update([picture])
    uploads.claim("ann", [picture])
    uploads.update([picture])  # the path is a hash of the bytes: Bob's upload has Ann's path
    assert uploads.claim("bob", [picture]) == [picture]


def test_what_nobody_uploaded_is_refused(picture: str, tmp_path: Path) -> None:
    uploads = Uploads()
    uploads.update([str(tmp_path), str(tmp_path / "gone.png")])
    link = tmp_path / "link.png"
    link.symlink_to("/etc/passwd")
    uploads.update([str(link)])
    for path in (picture, "/etc/passwd", str(tmp_path), str(tmp_path / "gone.png"), str(link), None, 5, ["a"], {}):
        with pytest.raises(MediaError, match="upload it here first"):
            uploads.claim("ann", [path])


def test_what_the_server_hands_over_is_granted_and_never_gradios_to_delete(picture: str) -> None:
    uploads = Uploads()
    uploads.grant("ann", [picture])
    assert uploads.claim("ann", [picture]) == [picture]
    assert picture not in uploads
    with pytest.raises(MediaError):
        uploads.claim("bob", [picture])


def test_a_deleted_upload_is_forgotten(picture: str, tmp_path: Path) -> None:
    uploads = Uploads()
    uploads.update([picture])
    uploads.claim("ann", [picture])
    uploads -= {picture}  # as Gradio does when it deletes old files
    with pytest.raises(MediaError):
        uploads.claim("ann", [picture])
    uploads.update([str(tmp_path / "other.png")])
    assert picture not in uploads._owners


def test_gradio_tells_of_every_upload(picture: str) -> None:
    blocks = gr.Blocks(analytics_enabled=False)
    uploads = watch_uploads(blocks)
    blocks.upload_file_set.update([picture])
    assert uploads.claim("ann", [picture]) == [picture]
    assert watch_uploads(blocks) is uploads
    assert any(known is uploads for known in blocks.temp_file_sets)
