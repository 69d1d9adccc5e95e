"""GlideSysAttachment keeps files beside rows."""

from __future__ import annotations

import base64

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    return build(instance, "u_files", {"title": "string"})


def test_what_was_written_is_read_by_its_name(shelf: Shelf) -> None:
    answer = shelf.run("""
        var record = one(fill({title: 't'}));
        var files = new GlideSysAttachment();
        var sysId = files.write(record, 'payload', 'text/xml', '<a>\\u00e9\\u20ac &amp; \\r\\n</a>');
        return [sysId.length, files.get(record, 'payload'), files.get(record, 'other')];
    """)

    assert answer == [32, "<a>é€ &amp; \r\n</a>", None]


def test_a_file_larger_than_one_piece_is_whole(shelf: Shelf) -> None:
    answer = shelf.run("""
        var text = new Array(200001).join('0123456789');
        var record = one(fill({title: 'large'}));
        var files = new GlideSysAttachment();
        files.write(record, 'large.txt', 'text/plain', text);
        var listed = files.getAttachments(TABLE, record.getUniqueValue());
        listed.next();
        return [files.get(record, 'large.txt') === text, listed.getValue('size_bytes')];
    """)

    assert answer == [True, "2000000"]


def test_bytes_pass_unchanged_as_base64(shelf: Shelf) -> None:
    encoded = base64.b64encode(bytes(range(256))).decode()
    answer = shelf.run(f"""
        var record = one(fill({{title: 'bytes'}}));
        var files = new GlideSysAttachment();
        files.writeBase64(record, 'all.bin', 'application/octet-stream', '{encoded}');
        var listed = files.getAttachments(TABLE, record.getUniqueValue());
        listed.next();
        return [files.getContentBase64(listed), '' + listed.file_name, '' + listed.content_type];
    """)

    assert answer == [encoded, "all.bin", "application/octet-stream"]


def test_files_are_copied_and_deleted(shelf: Shelf) -> None:
    answer = shelf.run("""
        var from = one(fill({title: 'from'}));
        var to = one(fill({title: 'to'}));
        var files = new GlideSysAttachment();
        var sysId = files.write(from, 'f', 'text/plain', 'content');
        files.copy(TABLE, from.getUniqueValue(), TABLE, to.getUniqueValue());
        files.deleteAttachment(sysId);
        return [files.get(from, 'f'), files.get(to, 'f')];
    """)

    assert answer == [None, "content"]


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("write({}, 'n', 't', 'c')", "needs a GlideRecord"),
        ("write(new GlideRecord(TABLE), 'n', 't', 'c')", "needs a GlideRecord that stands on a row"),
        ("getContentStream('x')", "no member getContentStream"),
    ],
)
def test_what_it_cannot_do_is_refused(shelf: Shelf, use: str, words: str) -> None:
    assert words in shelf.refusal(f"new GlideSysAttachment().{use};")


def test_what_is_too_large_is_not_read_as_text(shelf: Shelf) -> None:
    words = shelf.refusal("""
        var files = new GlideSysAttachment();
        var record = one(fill({title: 'large'}));
        files.write(record, 'large', 'text/plain', new Array(5242882).join('x'));
        return files.get(record, 'large');
    """)

    assert "has 5242881 bytes; com.glide.attachment.max_get_size lets scripts read 5242880" in words
